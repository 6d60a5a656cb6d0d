// SPDX-License-Identifier: Apache-2.0
/// One SFTP session over a channel: requests go out as they come, answers find who asked.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>

#include "net/timer.hpp"
#include "ssh/channel.hpp"
#include "ssh/sftp_block.hpp"
#include "ssh/sftp_input.hpp"
#include "ssh/sftp_packet.hpp"

namespace qconn::sftp {

/// Who asked. One of the two comes once for each request.
class Receiver {
public:
    virtual ~Receiver() = default;
    /// @param tag    as given with the request
    /// @param block  what the packet lies in
    virtual void on_answer(std::uint64_t tag, const Packet& packet, const BlockRef& block) = 0;
    /// The session has ended.
    /// @param begun  some of the request was sent
    virtual void on_lost(std::uint64_t tag, const Error& error, bool begun) = 0;
};

/// What the server said it can do beyond version 3.
struct Abilities {
    bool posix_rename{false};
    bool statvfs{false};
    bool fsync{false};
    bool hardlink{false};
    bool limits{false};
};

/// The transfers of a client, in all its sessions: they share the window.
struct Sharers {
    std::size_t transfers{0};
};

/// @note One thread at a time: the loop's.
class Session : public std::enable_shared_from_this<Session> {
public:
    /// @param timeout  longest silence while an answer is owed; zero: none
    Session(std::unique_ptr<ssh::Channel> channel, std::string label, std::string server, std::chrono::milliseconds timeout,
            std::shared_ptr<Sharers> sharers);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// Greets. `ended` comes once, never from inside this call, when the session has ended, with what ended it.
    void start(UniqueFunction<void(std::optional<Error>)> ready, UniqueFunction<void()> ended);

    /// Whether requests can still be sent.
    bool is_open() const noexcept { return state_ == State::open; }
    const Abilities& abilities() const noexcept { return abilities_; }
    const Limits& limits() const noexcept { return limits_; }
    /// Most bytes for one READ or WRITE.
    std::uint32_t read_size() const noexcept { return read_size_; }
    std::uint32_t write_size() const noexcept { return write_size_; }
    std::size_t owed() const noexcept { return owed_.size(); }
    /// When bytes came from the server last.
    Clock::time_point last_heard() const noexcept { return last_heard_; }
    net::Loop& loop() const noexcept { return *loop_; }
    const std::shared_ptr<BlockPool>& input_pool() const noexcept { return input_pool_; }

    /// A whole packet, sent in this turn of the loop. Where the session has ended, on_lost comes, never from inside this call.
    /// @returns its id
    std::uint32_t send(std::string packet, std::shared_ptr<Receiver> receiver, std::uint64_t tag = 0);
    /// A WRITE of bytes in a block that has room for k_write_head before them.
    void send_write(BlockRef block, std::size_t begin, std::uint32_t size, std::string_view handle, std::uint64_t offset,
                    std::shared_ptr<Receiver> receiver, std::uint64_t tag);
    /// Nobody waits for the answer.
    void forget(std::string packet);

    /// What ended it, once it has ended.
    const Error& end_error() const noexcept { return *end_error_; }
    /// Ends it; all that is owed is lost.
    void fail(const Error& error);
    /// What came is not what may come.
    void fail_protocol(std::string_view what);
    /// What is under way goes on; then, or where there is nothing, it ends.
    void retire();
    void close();

    /// Transfers share the window; a listing is one too.
    void enter_transfer() noexcept {
        ++transfers_;
        ++sharers_->transfers;
    }
    void leave_transfer();
    /// How much of a window is that of one transfer.
    std::size_t share_of(std::size_t window) const noexcept { return window / std::max<std::size_t>(sharers_->transfers, 1); }

private:
    enum class State : std::uint8_t { greeting, open, ended };
    struct Owed {
        std::shared_ptr<Receiver> receiver;  // null: nobody waits
        std::uint64_t tag{0};
        std::uint64_t position{0};  // where its first byte stands in all that is sent
    };
    struct Out {
        std::string text;
        BlockRef block;
        std::string_view bytes;  // in the block
        std::string_view view() const noexcept { return block ? bytes : std::string_view{text}; }
    };

    std::uint32_t register_request(std::shared_ptr<Receiver> receiver, std::uint64_t tag);
    void queue(std::string packet);
    void flush_soon();
    void flush();
    void on_readable();
    void take_packets();
    void on_packet(const Packet& packet);
    void on_version(const Packet& packet);
    void greeted();
    void watch_silence();
    void on_silence();
    void end(const Error& error);
    Error broken(Reason reason, std::string_view what) const;
    Error closed_by_server() const;

    const std::shared_ptr<net::Loop> loop_;
    std::unique_ptr<ssh::Channel> channel_;
    const std::string label_;
    const std::string server_;
    const std::chrono::milliseconds timeout_;
    UniqueFunction<void(std::optional<Error>)> ready_;
    UniqueFunction<void()> ended_;
    State state_{State::greeting};
    Abilities abilities_;
    Limits limits_;
    std::uint32_t read_size_{k_chunk};
    std::uint32_t write_size_{k_chunk};

    std::shared_ptr<BlockPool> input_pool_;
    PacketInput input_;
    std::unordered_map<std::uint32_t, Owed> owed_;
    std::uint32_t next_id_{0};
    std::deque<Out> out_;
    std::size_t out_done_{0};  // of the first
    std::uint64_t queued_{0};  // bytes, since the beginning
    std::uint64_t sent_{0};    // of them
    bool flushing_{false};     // a flush is on its way
    bool taking_{false};       // in take_packets, which flushes at its end
    bool retired_{false};
    std::optional<Error> end_error_;
    const std::shared_ptr<Sharers> sharers_;
    std::size_t transfers_{0};  // of this session
    net::Timer silence_;
    bool silence_armed_{false};
    Clock::time_point last_heard_{};
    Clock::time_point last_sign_{};  // the same, or when it took something, or came to owe something
};

}  // namespace qconn::sftp
