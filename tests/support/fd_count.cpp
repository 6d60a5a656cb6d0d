// SPDX-License-Identifier: Apache-2.0
#include "support/fd_count.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

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

std::size_t open_descriptors() { return list_descriptors().size(); }

}  // namespace qconn::test
