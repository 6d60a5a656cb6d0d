// SPDX-License-Identifier: Apache-2.0
#include "support/name_service.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "support/temp_dir.hpp"

namespace qconn::test {

namespace {

constexpr const char* k_inside = "QCONN_TEST_OWN_NETWORK";
constexpr int k_no_right = 126;

void must(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    ::_exit(127);
}

void enter(const char* resolv, const char* nsswitch) {
    if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) ::_exit(k_no_right);
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
    const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    must(::ioctl(any, SIOCSIFFLAGS, &loopback) == 0, "loopback up");
    must(::mount(resolv, "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0, "resolv.conf");
    must(::mount(nsswitch, "/etc/nsswitch.conf", nullptr, MS_BIND, nullptr) == 0, "nsswitch.conf");
    ::setenv(k_inside, "1", 1);
}

}  // namespace

std::optional<bool> run_in_own_network(const char* tag) {
    const TempDir directory;
    const std::string resolv = directory.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n");
    const std::string nsswitch = directory.write("nsswitch.conf", "hosts: files dns\n");
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error{std::string{"fork: "} + std::strerror(errno)};
    if (child == 0) {
        enter(resolv.c_str(), nsswitch.c_str());
        ::execl("/proc/self/exe", "inside", tag, static_cast<char*>(nullptr));
        ::_exit(127);
    }
    int status = -1;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(status) && WEXITSTATUS(status) == k_no_right) return std::nullopt;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool has_own_network() { return std::getenv(k_inside) != nullptr; }

NameService::NameService() : fd_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    const int error = errno;
    ::close(fd_);
    throw std::runtime_error{std::string{"the port for names: "} + std::strerror(error)};
}

NameService::~NameService() { ::close(fd_); }

std::size_t NameService::asked() {
    for (;;) {
        Query query;
        query.text.resize(512);
        socklen_t size = sizeof query.from;
        const ssize_t got = ::recvfrom(fd_, query.text.data(), query.text.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&query.from), &size);
        if (got < 0) return queries_.size();
        query.text.resize(static_cast<std::size_t>(got));
        queries_.push_back(std::move(query));
    }
}

void NameService::answer(char code, const std::string& addresses) {
    using namespace std::string_literals;
    asked();
    for (Query& query : queries_) {
        query.text[2] = static_cast<char>(query.text[2] | 0x80);
        query.text[3] = code;
        const bool for_v4 = query.text[query.text.size() - 3] == 1;
        for (const char last : for_v4 ? addresses : ""s) {
            ++query.text[7];
            query.text += "\xC0\x0C\0\1\0\1\0\0\0\0\0\4\x7F\0\0"s + last;
        }
        ::sendto(fd_, query.text.data(), query.text.size(), 0, reinterpret_cast<const sockaddr*>(&query.from), sizeof query.from);
    }
    queries_.clear();
}

}  // namespace qconn::test
