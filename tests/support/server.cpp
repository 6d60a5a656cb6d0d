// SPDX-License-Identifier: Apache-2.0
#include "support/server.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/free_port.hpp"
#include "support/wait.hpp"
#include "support/watcher.hpp"

namespace qconn::test {
namespace {

using namespace std::chrono_literals;

const std::string k_servers = QCONN_TEST_SERVERS;

// A directory of ours in the common place for temporary files, or nothing where somebody else has taken that name.
bool own_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return false;
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() && (info.st_mode & 022U) == 0;
}

std::string make_tls() {
    const std::string script = k_servers + "/tls.sh";
    const std::string version = std::to_string(std::hash<std::string>{}(read_file(script)) & 0xFFFFFFFFU);
    const auto week = std::chrono::duration_cast<std::chrono::hours>(std::chrono::system_clock::now().time_since_epoch()).count() / (24 * 7);
    std::string path = "/tmp/qconn-tls-" + std::to_string(::geteuid()) + '-' + version + '-' + std::to_string(week);
    if (!own_directory(path)) throw std::runtime_error{path + " is not a directory of this user that others cannot write to; remove it"};

    const int lock = ::open((path + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (lock < 0 || ::flock(lock, LOCK_EX) != 0) throw std::runtime_error{"cannot lock " + path + ": " + std::strerror(errno)};
    int status = 0;
    if (!std::filesystem::exists(path + "/complete")) status = run({script, path}, {}, path + "/output.log");
    ::close(lock);
    if (status != 0) throw std::runtime_error{"tls.sh failed:\n" + read_file(path + "/output.log")};
    return path;
}

// Whether a process of the group still runs. Not kill(-group, 0): that also finds dead ones, and in a container nobody may ever wait for those.
bool has_living(pid_t group) {
    if (::kill(-group, 0) != 0) return false;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc", std::filesystem::directory_options::skip_permission_denied}) {
        if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
        const std::string stat = read_file(entry.path().string() + "/stat");
        const auto after_name = stat.rfind(") ");
        if (after_name == std::string::npos) continue;
        char state = 0;
        int parent = 0;
        int its_group = 0;
        std::istringstream{stat.substr(after_name + 2)} >> state >> parent >> its_group;
        if (its_group == group && state != 'Z' && state != 'X') return true;
    }
    return false;
}

}  // namespace

const std::string& tls_dir() {
    static const std::string path = make_tls();
    return path;
}

std::string tls_file(std::string_view name) { return tls_dir() + '/' + std::string{name}; }

Server::Server(std::string name, ServerOptions options)
    : name_{std::move(name)}, script_{k_servers + '/' + name_ + ".sh"}, options_{std::move(options)}, port_{free_port()}, port2_{free_port()} {
    if (!std::filesystem::exists(script_)) throw std::runtime_error{"there is no tests/servers/" + name_ + ".sh"};
    options_.environment.push_back("PORT2=" + std::to_string(port2_));
    options_.environment.insert(options_.environment.begin(), "TLS_DIR=" + tls_dir());
    options_.environment.push_back("TEST_USER=" + std::string{k_user});
    options_.environment.push_back("TEST_PASS=" + std::string{k_password});
    if (options_.start) start();
}

Server::~Server() {
    try {
        kill();
    } catch (const std::exception&) {  // the watcher still has it
    }
}

void Server::start() {
    if (pid_ > 0) return;
    const std::string log = directory_ / "output.log";
    pid_ = spawn({script_, "start", directory_.path(), std::to_string(port_)}, options_.environment, log);
    int status = 0;
    bool ended = false;
    const bool ready = wait_until(
        [&] {
            ended = ::waitpid(pid_, &status, WNOHANG) == pid_;
            if (!ended) std::this_thread::sleep_for(5ms);  // asking starts a process: leave the server some of the machine
            return ended || run({script_, "ready", directory_.path(), std::to_string(port_)}, options_.environment) == 0;
        },
        options_.start_limit);
    if (ready && !ended) return;
    std::string text =
        name_ + (ended ? " ended instead of serving" : " is not ready after its time") + " (port " + std::to_string(port_) + "):\n" + this->log();
    for (const char* more : {"error.log", "cache.log", "log"}) text += directory_.read(more);
    if (ended) {
        end_group();
    } else {
        kill();
    }
    throw std::runtime_error{text};
}

void Server::stop() {
    if (pid_ <= 0) return;
    static const auto signal_of = [](const std::string& script, const TempDir& directory) {
        run({script, "signal"}, {}, directory / "signal");
        const std::string name = directory.read("signal");
        std::filesystem::remove(directory / "signal");
        if (name.starts_with("INT")) return SIGINT;
        if (name.starts_with("QUIT")) return SIGQUIT;
        return name.starts_with("KILL") ? SIGKILL : SIGTERM;
    };
    ::kill(pid_, signal_of(script_, directory_));
    ::kill(-pid_, SIGCONT);  // a frozen one could not end
    int status = 0;
    if (!wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 10s)) {
        kill();
        return;
    }
    end_group();
}

void Server::kill() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    end_group();
}

// Its first process has been waited for; the others may need a moment. Their ports must be free when this returns.
void Server::end_group() {
    const pid_t group = std::exchange(pid_, 0);
    ::kill(-group, SIGKILL);
    wait_until([&] { return !has_living(group); }, 2s);
    forget_group(group);
}

void Server::freeze() {
    if (pid_ > 0) ::kill(-pid_, SIGSTOP);
}

void Server::thaw() {
    if (pid_ > 0) ::kill(-pid_, SIGCONT);
}

}  // namespace qconn::test
