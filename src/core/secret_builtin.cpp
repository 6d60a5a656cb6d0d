// SPDX-License-Identifier: Apache-2.0
// The secrets of the environment and of files.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <qconn/base/error.hpp>

#include "base/text.hpp"
#include "core/environment.hpp"
#include "core/secret_table.hpp"
#include "net/unique_fd.hpp"

namespace qconn::core {

namespace {

constexpr std::size_t k_block = 4096;

bool is_variable_name(std::string_view s) noexcept {
    if (s.empty() || text::is_digit(s[0])) return false;
    return std::all_of(s.begin(), s.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_'; });
}

[[noreturn]] void fail(const std::string& why, Reason reason) { throw make_error(Errc::secret, why).with_reason(reason); }

SecretAnswer read_variable(const SecretRequest& request) {
    auto value = process_environment(std::string{request.argument});
    if (!value) {
        fail("the environment of this process has no variable " + text::printable(request.argument) + "; set it before the start", Reason::missing);
    }
    SecretAnswer answer{Secret{*value}};
    wipe(*value);
    return answer;
}

SecretAnswer read_file(const SecretRequest& request) {
    const std::string path = secret_path(request.argument, request.directory);
    const auto refused = [&](const char* what, int error) {
        const Reason reason = error == ENOENT || error == ENOTDIR ? Reason::missing
                              : error == EACCES || error == EPERM ? Reason::permission
                                                                  : Reason::local;
        fail(std::string{what} + " \"" + text::printable(path) + "\": " + std::system_category().message(error), reason);
    };
    // Not blocking: a FIFO would wait for its writer without any deadline.
    const net::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file.get() < 0) refused("cannot open", errno);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) refused("cannot stat", errno);
    if (!S_ISREG(status.st_mode)) fail("\"" + text::printable(path) + "\" is no regular file", Reason::bad_value);

    std::string content;
    content.reserve(std::clamp<std::size_t>(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)), k_block, k_max_secret_file) + k_block);
    std::string block(k_block, '\0');
    const auto wipe_all = [&] {
        wipe(block);
        wipe(content);
    };
    for (;;) {
        const ssize_t n = ::read(file.get(), block.data(), k_block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int error = errno;
            wipe_all();
            refused("cannot read", error);
        }
        if (n == 0) break;
        content.append(block.data(), static_cast<std::size_t>(n));
        if (content.size() > k_max_secret_file) {
            wipe_all();
            fail("\"" + text::printable(path) + "\" is larger than " + std::to_string(k_max_secret_file) + " bytes", Reason::limit);
        }
    }
    SecretAnswer answer{Secret{without_newline(content)}};
    wipe_all();
    return answer;
}

}  // namespace

std::string secret_path(std::string_view argument, std::string_view directory) {
    if (argument.starts_with('/') || directory.empty()) return std::string{argument};
    return std::string{directory}.append("/").append(argument);
}

SecretProvider environment_secrets() {
    SecretProvider provider;
    provider.prefix = "env";
    provider.read = read_variable;
    provider.check = [](std::string_view name) {
        return is_variable_name(name) ? std::string{}
                                      : std::string{
                                            "what stands in '${env:…}' is no name of an environment variable: one has letters, digits and "
                                            "underscores, and does not begin with a digit"};
    };
    provider.may_block = false;
    return provider;
}

SecretProvider file_secrets() {
    SecretProvider provider;
    provider.prefix = "file";
    provider.read = read_file;
    provider.check = [](std::string_view path) {
        return path.find('\0') == std::string_view::npos ? std::string{} : std::string{"the path in '${file:…}' holds a NUL"};
    };
    // As every file of a definition: on the thread that needs it. A monitor's is one of the blocking pool.
    provider.may_block = false;
    return provider;
}

}  // namespace qconn::core
