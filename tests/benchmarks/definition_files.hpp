// SPDX-License-Identifier: Apache-2.0
/// A directory of many definitions, each in a file of its own with 12 lines and, up to 100,000 of them, 263 bytes.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"

namespace qconn::bench {

/// As if it had been written long ago: what is younger than 2 s is read again by every reload.
inline void settle(const std::string& path, int minutes) {
    const timespec time{::time(nullptr) - 100'000 + minutes * 60, 0};
    const std::array<timespec, 2> times{time, time};
    if (::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0) std::abort();
}

class DefinitionFiles {
public:
    explicit DefinitionFiles(int count) {
        for (int i = 0; i < count; ++i) {
            const std::string text = text_of(i);
            if (count <= 100'000 && text.size() != 263) std::abort();
            paths_.push_back(directory_.write(name_of(i) + ".qconn.yaml", text));
            settle(paths_.back(), 0);
        }
    }

    const std::string& directory() const noexcept { return directory_.path(); }
    const std::vector<std::string>& paths() const noexcept { return paths_; }
    /// Puts another in the place of the file, as editors and deployments do; what is new is a text, not the connection.
    void change(std::size_t number) {
        ++changes_;
        std::string text = text_of(static_cast<int>(number));
        text[text.find(" of ") + 4] = static_cast<char>('a' + changes_ % 26);
        const std::string fresh = directory_.write("fresh", text);
        settle(fresh, changes_ % 1000);
        if (std::rename(fresh.c_str(), paths_[number].c_str()) != 0) std::abort();
    }
    static std::string name_of(int number) {
        std::array<char, 24> name{};
        std::snprintf(name.data(), name.size(), "conn-%05d", number);
        return name.data();
    }

private:
    static std::string text_of(int number) {
        std::array<char, 400> text{};
        std::snprintf(text.data(), text.size(),
                      "# generated; don't edit\ntype: connection\nname: conn-%05d\ndesc: connection number %05d of many in a test\n"
                      "url: fake://user:password@host%05d.example.com:8443/api\noptions:\n  connect_timeout:\n    type: int\n    value: 5000\n"
                      "  timeout:\n    type: int\n    value: 30000\n",
                      number, number, number);
        return text.data();
    }

    test::TempDir directory_;
    std::vector<std::string> paths_;
    int changes_{0};
};

}  // namespace qconn::bench
