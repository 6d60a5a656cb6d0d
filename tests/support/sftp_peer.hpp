// SPDX-License-Identifier: Apache-2.0
/// Sources of channels for tests of SFTP, without SSH: OpenSSH's own sftp-server over a socket pair, and peers that a test makes up.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qconn/net/runtime.hpp>

#include "net/runtime_impl.hpp"
#include "net/stream.hpp"
#include "ssh/channel.hpp"

namespace qconn::test {

/// A channel that is a socket.
class StreamChannel final : public ssh::Channel {
public:
    StreamChannel(net::Loop& loop, net::UniqueFd fd) : stream_{loop, std::move(fd), "peer", ""} {}
    net::IoResult read_some(char* data, std::size_t size) override { return stream_.read_some(data, size); }
    net::IoResult write_some(std::string_view data) override { return stream_.write_some(data); }
    void wait(net::Ready side, UniqueFunction<void()> callback) override { stream_.wait(side, std::move(callback)); }
    void cancel_waits() noexcept override { stream_.cancel_waits(); }
    net::Loop& loop() const noexcept override { return stream_.loop(); }

private:
    net::Stream stream_;
};

/// Channels whose other end is made by `connect`, on the loop.
class SocketSource : public ssh::ChannelSource {
public:
    /// @returns our end, or the error of the opening
    using Connect = std::function<Result<net::UniqueFd>()>;

    SocketSource(const Runtime& runtime, Connect connect)
        : runtime_{runtime}, loop_{runtime_.impl().loop().shared_from_this()}, connect_{std::move(connect)} {}

    net::Loop& loop() const noexcept override { return *loop_; }
    std::string peer() const override { return "joe@files.example:22"; }
    Operation open_subsystem(std::string name, Deadline, Opened callback) override {
        auto opening = std::make_shared<Opening>();
        opening->callback = std::move(callback);
        ++asked;
        loop_->post([this, opening, name] {
            if (silent) return waiting_.push_back(opening);
            if (opening->done_.exchange(true)) return;
            Opened told = std::move(opening->callback);
            auto fd = connect_();
            if (!fd) return told(fd.error());
            ++opened;
            told(std::unique_ptr<ssh::Channel>{std::make_unique<StreamChannel>(*loop_, std::move(*fd))});
        });
        return Operation{std::make_shared<Handle>(loop_, opening)};
    }

    std::atomic<int> asked{0};
    std::atomic<int> opened{0};
    std::atomic<int> cancelled{0};
    std::atomic<bool> silent{false};  ///< the opening never ends

private:
    struct Opening {
        Opened callback;
        std::atomic<bool> done_{false};
    };
    class Handle final : public Operation::State {
    public:
        Handle(std::shared_ptr<net::Loop> loop, std::shared_ptr<Opening> opening) : loop_{std::move(loop)}, opening_{std::move(opening)} {}
        void cancel() noexcept override {
            loop_->post([opening = opening_] {
                if (opening->done_.exchange(true)) return;
                const auto callback = std::make_shared<Opened>(std::move(opening->callback));
                (*callback)(make_error(Errc::cancelled, "the opening was cancelled"));
            });
        }
        bool done() const noexcept override { return opening_->done_; }

    private:
        std::shared_ptr<net::Loop> loop_;
        std::shared_ptr<Opening> opening_;
    };

    const Runtime runtime_;
    const std::shared_ptr<net::Loop> loop_;
    const Connect connect_;
    std::vector<std::shared_ptr<Opening>> waiting_;
};

inline std::pair<net::UniqueFd, net::UniqueFd> socket_pair() {
    std::array<int, 2> fds{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) throw std::runtime_error{"no socket pair"};
    ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return {net::UniqueFd{fds[0]}, net::UniqueFd{fds[1]}};
}

/// OpenSSH's sftp-server, one process a channel, with a directory to begin in.
class SftpServer {
public:
    static constexpr const char* k_program = "/usr/lib/openssh/sftp-server";

    /// @param options  of the program
    /// @param prefix   another program that starts it
    SftpServer(const Runtime& runtime, std::string directory, std::vector<std::string> options = {}, std::vector<std::string> prefix = {})
        : directory_{std::move(directory)},
          options_{std::move(options)},
          prefix_{std::move(prefix)},
          source_{std::make_shared<SocketSource>(runtime, [this] { return start(); })} {}
    SftpServer(const SftpServer&) = delete;
    SftpServer& operator=(const SftpServer&) = delete;
    ~SftpServer() {
        kill();
        for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
    }

    const std::shared_ptr<SocketSource>& source() const noexcept { return source_; }
    /// All that run.
    void kill(int signal = SIGKILL) {
        const std::scoped_lock lock{mutex_};
        for (const pid_t pid : pids_) {
            siginfo_t info{};
            // Those that have ended have their number until they are waited for at the end.
            if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0) ::kill(pid, signal);
        }
    }
    int started() const {
        const std::scoped_lock lock{mutex_};
        return static_cast<int>(pids_.size());
    }

    /// One more, and our end of its channel.
    Result<net::UniqueFd> start() {
        auto [ours, theirs] = socket_pair();
        std::vector<std::string> words = prefix_;
        for (const std::string& word : {std::string{k_program}, std::string{"-d"}, directory_}) words.push_back(word);
        words.insert(words.end(), options_.begin(), options_.end());
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, theirs.get(), 0);
        posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        pid_t pid = 0;
        const int failed = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) return make_error(Errc::system, "no sftp-server here (package openssh-sftp-server)");
        const std::scoped_lock lock{mutex_};
        pids_.push_back(pid);
        return std::move(ours);
    }

private:
    const std::string directory_;
    const std::vector<std::string> options_;
    const std::vector<std::string> prefix_;
    mutable std::mutex mutex_;
    std::vector<pid_t> pids_;  // under mutex_
    std::shared_ptr<SocketSource> source_;
};

/// The other end of a channel, for a made-up peer: on a thread of its own, blocking.
class FakePeer {
public:
    explicit FakePeer(net::UniqueFd fd) : fd_{std::move(fd)} {}

    struct Request {
        int type{0};
        std::string id;    ///< four bytes
        std::string body;  ///< after the id
    };
    /// None: the client has closed.
    std::optional<Request> next() {
        const std::string head = read(4);
        if (head.size() < 4) return std::nullopt;
        const std::string packet = read(number(head));
        if (packet.size() < 5) return std::nullopt;
        return Request{static_cast<unsigned char>(packet[0]), packet.substr(1, 4), packet.substr(5)};
    }
    void raw(const std::string& bytes) { static_cast<void>(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)); }
    void answer(int type, const std::string& rest) { raw(u32(1 + rest.size()) + static_cast<char>(type) + rest); }
    /// VERSION, after INIT has come.
    bool greet(const std::string& extensions = {}) {
        if (!next()) return false;
        answer(2, u32(3) + extensions);
        return true;
    }
    void status(const Request& to, std::size_t code, const std::string& words = "said so") {
        answer(101, to.id + u32(code) + text(words) + text(""));
    }
    void handle(const Request& to, const std::string& handle) { answer(102, to.id + text(handle)); }
    void data(const Request& to, const std::string& bytes) { answer(103, to.id + text(bytes)); }
    /// Of a regular file.
    void attrs(const Request& to, std::size_t size) { answer(105, to.id + u32(5) + u32(0) + u32(size) + u32(0100644)); }
    void close() { fd_.reset(); }

    static std::string u32(std::size_t value) {
        std::string bytes(4, '\0');
        for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(value >> (24 - 8 * i));
        return bytes;
    }
    static std::string text(const std::string& value) { return u32(value.size()) + value; }
    static std::size_t number(const std::string& bytes, std::size_t at = 0) {
        std::size_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
        return value;
    }
    /// The offset and the size of a READ.
    static std::pair<std::size_t, std::size_t> range(const Request& read) {
        const std::size_t handle = number(read.body);
        return {number(read.body, 8 + handle), number(read.body, 12 + handle)};
    }

private:
    std::string read(std::size_t size) {
        std::string bytes(size, '\0');
        std::size_t done = 0;
        while (done < size) {
            const auto got = ::recv(fd_.get(), bytes.data() + done, size - done, 0);
            if (got <= 0) return {};
            done += static_cast<std::size_t>(got);
        }
        return bytes;
    }
    net::UniqueFd fd_;
};

/// A peer whose side of each channel is a function, run on a thread of its own; its end closes the channel.
class FakeServer {
public:
    using Play = std::function<void(FakePeer&, int number)>;  ///< counts from 1

    FakeServer(const Runtime& runtime, Play play)
        : play_{std::move(play)}, source_{std::make_shared<SocketSource>(runtime, [this] { return start(); })} {}
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;
    ~FakeServer() {
        for (auto& thread : threads_) thread.join();
    }
    const std::shared_ptr<SocketSource>& source() const noexcept { return source_; }

private:
    Result<net::UniqueFd> start() {
        auto [ours, theirs] = socket_pair();
        const std::scoped_lock lock{mutex_};
        const int number = static_cast<int>(threads_.size()) + 1;
        threads_.emplace_back([this, number, fd = std::make_shared<net::UniqueFd>(std::move(theirs))] {
            FakePeer peer{std::move(*fd)};
            play_(peer, number);
        });
        return std::move(ours);
    }
    const Play play_;
    std::mutex mutex_;
    std::vector<std::thread> threads_;  // under mutex_
    std::shared_ptr<SocketSource> source_;
};

}  // namespace qconn::test
