// SPDX-License-Identifier: Apache-2.0
#include "telnet/telnet_error.hpp"

#include <array>
#include <memory>

#include "base/code_category.hpp"
#include "base/text.hpp"

namespace qconn {
namespace {

// In the order of TelnetErrc, which begins with 1.
constexpr std::array<CodeWords, 8> k_telnet_codes{{
    {"TELNET-ERROR", "the peer breaks the protocol of TELNET"},
    {"TELNET-CONNECT-ERROR", "the TELNET server closed the connection at once"},
    {"TELNET-LOGIN-ERROR", "the TELNET server refused the log-in"},
    {"TELNET-TIMEOUT", "what was waited for did not come in time"},
    {"TELNET-CLOSED", "the TELNET session has ended"},
    {"TELNET-PATTERN-ERROR", "the pattern cannot be used"},
    {"TELNET-LIMIT-ERROR", "there is more text than is taken"},
    {"INVALID-TARGET", "the connection's options cannot be used"},
}};

}  // namespace

const std::error_category& telnet_category() noexcept {
    static const CodeCategory category{"qconn.telnet", k_telnet_codes};
    return category;
}

std::error_code make_error_code(TelnetErrc code) noexcept { return {static_cast<int>(code), telnet_category()}; }

TelnetErrorDetail::~TelnetErrorDetail() = default;

namespace telnet {

std::string_view error_name(TelnetErrc code) noexcept { return code_name(k_telnet_codes, code); }

std::string last_of(std::string_view text) {
    constexpr std::size_t k_most = 2'000;
    if (text.size() <= k_most) return std::string{text};
    text.remove_prefix(text.size() - k_most);
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U) text.remove_prefix(1);  // not within a character
    return std::string{text};
}

Error failure(const net::Job& job, TelnetErrc code, Phase phase, Reason reason, std::string_view what, std::string_view last) {
    constexpr std::size_t k_shown = 160;
    std::string words{what};
    const std::string_view seen = text::trim(last);
    if (!seen.empty()) {
        const std::string end = last_of(seen.size() > k_shown ? seen.substr(seen.size() - k_shown) : seen);
        words.append("; what came last: \"").append(seen.size() > k_shown ? "…" : "").append(text::printable(end)).append("\"");
    }
    Error error{code, error_name(code), job.failed(words)};
    error.with_phase(phase).with_reason(reason);
    error.with_detail(std::make_shared<TelnetErrorDetail>(last_of(last)));
    if (!job.label.empty()) error.with_connection(job.label);
    return error;
}

}  // namespace telnet
}  // namespace qconn
