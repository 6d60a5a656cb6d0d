// SPDX-License-Identifier: Apache-2.0
#include "support/fd_count.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "support/temp_dir.hpp"

namespace qconn::test {

std::vector<std::string> list_descriptors() {
    std::vector<std::string> all;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir("/proc/self/fd"), &::closedir};
    if (!folder) return all;
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string name = entry->d_name;
        if (name == "." || name == ".." || std::atoi(name.c_str()) == ::dirfd(folder.get())) continue;
        std::array<char, 512> target{};
        const auto size = ::readlinkat(::dirfd(folder.get()), name.c_str(), target.data(), target.size());
        all.push_back(name + " -> " + (size < 0 ? std::string{"?"} : std::string{target.data(), static_cast<std::size_t>(size)}));
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::vector<int> sockets_to(std::uint16_t port) {
    std::vector<int> found;
    for (const std::string& one : list_descriptors()) {
        const int fd = std::atoi(one.c_str());
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.sin_family != AF_INET) continue;
        if (ntohs(peer.sin_port) == port && ntohl(peer.sin_addr.s_addr) == INADDR_LOOPBACK) found.push_back(fd);
    }
    return found;
}

std::vector<std::string> list_threads() {
    std::vector<std::string> all;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir("/proc/self/task"), &::closedir};
    if (!folder) return all;
    while (const dirent* entry = ::readdir(folder.get())) {
        if (entry->d_name[0] == '.') continue;
        std::string name = read_file(std::string{"/proc/self/task/"} + entry->d_name + "/comm");
        if (!name.empty()) all.push_back(name.substr(0, name.find('\n')));  // empty: it has just ended
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::size_t count_threads() { return list_threads().size(); }

std::size_t open_descriptors() { return list_descriptors().size(); }

}  // namespace qconn::test
