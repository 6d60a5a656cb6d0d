// SPDX-License-Identifier: Apache-2.0
/// A client and OpenSSH's sftp-server in a directory of the test's own.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>

#include <qconn/ssh/sftp_client.hpp>

#include "ssh/sftp_factory.hpp"
#include "support/catch.hpp"
#include "support/sftp_peer.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

namespace qconn::test {

inline SftpOptions sftp_options(std::string path = {}) {
    SftpOptions options;
    options.label = "drop";
    options.path = std::move(path);
    options.timeout = std::chrono::seconds{20};
    return options;
}

struct Files {
    Runtime runtime{RuntimeOptions{}};
    TempDir dir;
    SftpServer server;
    std::unique_ptr<SftpClient> client;

    explicit Files(SftpOptions options = sftp_options(), std::vector<std::string> server_options = {}, std::vector<std::string> prefix = {})
        : server{runtime, dir.path(), std::move(server_options), std::move(prefix)},
          client{sftp::make_sftp_client(server.source(), std::move(options), runtime)} {}
    SftpClient* operator->() const { return client.get(); }
    std::string read(const std::string& name) const { return dir.read(name); }
    bool there(const std::string& name) const { return std::filesystem::exists(std::filesystem::symlink_status(dir / name)); }
    unsigned mode(const std::string& name) const {
        struct stat info {};
        return ::stat((dir / name).c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
    }
    /// Names in it that are not finished.
    std::size_t unfinished(const std::string& folder = {}) const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator{folder.empty() ? dir.path() : dir / folder}) {
            if (entry.path().filename().string().starts_with(".qconn-")) ++count;
        }
        return count;
    }
};

template <class Work>
Error failure_of(Work work) {
    try {
        work();
    } catch (const Error& error) {
        UNSCOPED_INFO(error.what());
        return error;
    }
    FAIL("it did not fail");
    return make_error(Errc::invalid_argument, "");
}

/// Different everywhere.
inline std::string some_text(std::size_t size, std::uint64_t seed = 1) {
    std::string text(size, '\0');
    std::uint64_t x = seed * 0x9E3779B97F4A7C15U;
    for (auto& c : text) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        c = static_cast<char>(x);
    }
    return text;
}

}  // namespace qconn::test
