// SPDX-License-Identifier: Apache-2.0
#include "file/temporary_name.hpp"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include <qconn/base/error.hpp>

#include "base/text.hpp"

namespace qconn::file {
namespace {

constexpr std::string_view k_prefix = ".qconn-";
constexpr std::string_view k_temporary = ".tmp";
constexpr std::string_view k_part = ".part";
constexpr std::size_t k_digits = 16;

std::string name_of(const std::array<char, k_digits / 2>& bytes, std::string_view suffix) {
    return std::string{k_prefix} + text::to_hex({bytes.data(), bytes.size()}) + std::string{suffix};
}

}  // namespace

std::string temporary_name() {
    std::array<char, k_digits / 2> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw make_error(Errc::system, "the system has no random numbers for a temporary name");
    return name_of(bytes, k_temporary);
}

std::string part_name(std::string_view name) {
    // FNV-1a, 64 bits: it only has to be the same each time.
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    std::array<char, k_digits / 2> bytes{};
    for (char& byte : bytes) {
        byte = static_cast<char>(hash & 0xff);
        hash >>= 8;
    }
    return name_of(bytes, k_part);
}

bool asks_for_temporary(std::string_view glob) noexcept { return glob.starts_with(k_prefix); }

bool is_temporary(std::string_view name) noexcept {
    if (!name.starts_with(k_prefix)) return false;
    name.remove_prefix(k_prefix.size());
    if (name.size() < k_digits || name.substr(0, k_digits).find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
    name.remove_prefix(k_digits);
    return name == k_temporary || name == k_part;
}

}  // namespace qconn::file
