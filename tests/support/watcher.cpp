// SPDX-License-Identifier: Apache-2.0
#include "support/watcher.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string_view>

extern char** environ;

namespace qconn::test {
namespace {

struct SpawnSettings {
    SpawnSettings() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;
    ~SpawnSettings() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};
};

// input: a descriptor that becomes standard input, or -1 for none.
pid_t spawn_with(const std::vector<std::string>& command, const std::vector<std::string>& environment, const std::string& log, int input) {
    SpawnSettings settings;
    if (input < 0)
        ::posix_spawn_file_actions_addopen(&settings.files, 0, "/dev/null", O_RDONLY, 0);
    else
        ::posix_spawn_file_actions_adddup2(&settings.files, input, 0);
    const char* output = log.empty() ? "/dev/null" : log.c_str();
    ::posix_spawn_file_actions_addopen(&settings.files, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&settings.files, 1, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&settings.files, 3);  // also what somebody opened without CLOEXEC
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&settings.attributes, &none);
    ::posix_spawnattr_setsigdefault(&settings.attributes, &all);
    ::posix_spawnattr_setflags(&settings.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    std::vector<char*> arguments;
    for (const auto& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
    arguments.push_back(nullptr);
    // Ours first: programs take the first of two entries of one name.
    std::vector<char*> variables;
    for (const auto& one : environment) variables.push_back(const_cast<char*>(one.c_str()));
    for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
        const std::string_view entry{*one};
        const std::string_view name = entry.substr(0, entry.find('=') + 1);
        bool replaced = false;
        for (const auto& mine : environment) replaced = replaced || mine.compare(0, name.size(), name) == 0;
        if (!replaced) variables.push_back(*one);
    }
    variables.push_back(nullptr);

    pid_t pid = 0;
    const int failure = ::posix_spawnp(&pid, arguments[0], &settings.files, &settings.attributes, arguments.data(), variables.data());
    if (failure != 0) throw std::runtime_error{"cannot start " + command.front() + ": " + std::strerror(failure)};
    return pid;
}

// Writing end of the watcher's standard input. Opened once for a process (a forked one gets its own); its end is what tells the watcher.
int watcher() {
    static std::mutex guard;
    static pid_t owner = 0;
    static int write_end = -1;
    const std::scoped_lock lock{guard};
    if (owner != ::getpid()) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error{std::string{"pipe: "} + std::strerror(errno)};
        spawn_with({"/bin/sh", QCONN_TEST_SERVERS "/watcher.sh"}, {}, {}, ends[0]);
        ::close(ends[0]);
        write_end = ends[1];
        owner = ::getpid();
    }
    return write_end;
}

void tell(const std::string& line) {
    // Less than PIPE_BUF: lines of several threads do not mix. A watcher that is gone can do nothing for us.
    const auto written = ::write(watcher(), line.data(), line.size());
    static_cast<void>(written);
}

}  // namespace

pid_t spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment, const std::string& log) {
    const int end = watcher();  // before the program, so that it cannot be left behind
    static_cast<void>(end);
    const pid_t pid = spawn_with(command, environment, log, -1);
    watch_group(pid);
    return pid;
}

int run(const std::vector<std::string>& command, const std::vector<std::string>& environment, const std::string& log) {
    const pid_t pid = spawn_with(command, environment, log, -1);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) throw std::runtime_error{std::string{"waitpid: "} + std::strerror(errno)};
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void watch_group(pid_t group) { tell('+' + std::to_string(group) + '\n'); }
void forget_group(pid_t group) { tell('-' + std::to_string(group) + '\n'); }
void watch_directory(const std::string& path) { tell("d " + path + '\n'); }
void forget_directory(const std::string& path) { tell("e " + path + '\n'); }

}  // namespace qconn::test
