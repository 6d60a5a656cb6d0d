// SPDX-License-Identifier: Apache-2.0
// Signature Version 4: the first byte says the rules, the first line the URL, header lines follow, then the body. The canonical form holds nothing
// but what it may hold, is sorted, and is that of itself; the signed URL is the URL with a signature.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/sigv4_canonical.hpp"
#include "base/text.hpp"
#include "fuzz/require.hpp"

namespace {

using namespace qconn;
using namespace qconn::auth;

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

bool is_encoded(std::string_view text, std::string_view also) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || text::hex_digit(text[i + 1]) < 0 || text::hex_digit(text[i + 2]) < 0) return false;
            i += 2;
        } else if (!text::is_alpha(text[i]) && !text::is_digit(text[i]) && std::string_view{"-._~"}.find(text[i]) == npos &&
                   also.find(text[i]) == npos) {
            return false;
        }
    }
    return true;
}

void check_path(std::string_view sent, SigV4Rules rules) {
    const std::string path = canonical_path(sent, rules);
    QCONN_REQUIRE(is_encoded(path, "/"));
    if (rules == SigV4Rules::s3) {
        QCONN_REQUIRE(canonical_path(path, rules) == path);
        return;
    }
    QCONN_REQUIRE(path.starts_with('/') && path.find("//") == npos);
    for (const std::string_view part : text::split(path, '/')) QCONN_REQUIRE(part != "." && part != "..");
}

void check_query(std::string_view sent) {
    const std::string query = canonical_query(sent);
    QCONN_REQUIRE(is_encoded(query, "&=") && canonical_query(query) == query);
    if (query.empty()) return;
    SigV4Field before;
    for (const std::string_view pair : text::split(query, '&')) {
        QCONN_REQUIRE(std::count(pair.begin(), pair.end(), '=') == 1);
        SigV4Field one{pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1)};
        QCONN_REQUIRE(!(one < before));
        before = std::move(one);
    }
}

void check_headers(const std::vector<SigV4Field>& fields) {
    const CanonicalHeaders headers = canonical_headers(fields);
    std::string names;
    for (std::string_view rest{headers.lines}; !rest.empty();) {
        const std::string_view line = take_line(rest);
        QCONN_REQUIRE(line.find("  ") == npos && line.find(':') != npos);
        names.append(names.empty() ? "" : ";").append(line.substr(0, line.find(':')));
    }
    QCONN_REQUIRE(names == headers.names);
}

bool is_hex_at_end(std::string_view text, std::string_view before) {
    constexpr std::size_t k_digits = 64;
    if (text.size() < k_digits + before.size() || text.substr(text.size() - k_digits - before.size(), before.size()) != before) return false;
    const std::string_view digits = text.substr(text.size() - k_digits);
    return std::all_of(digits.begin(), digits.end(), [](char c) { return text::hex_digit(c) >= 0; });
}

SigV4Options options_with(SigV4Rules rules, bool token) {
    SigV4Options options;
    options.key_id = "AKIDEXAMPLE";
    options.secret = Secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
    if (token) options.session_token = Secret{"a/token="};
    options.region = "us-east-1";
    options.service = "service";
    options.rules = rules;
    return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
    const SigV4Rules rules = (data[0] & 1U) != 0 ? SigV4Rules::s3 : SigV4Rules::general;
    const std::string_view url = take_line(rest);
    std::vector<SigV4Field> fields;
    for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
        const std::size_t colon = std::min(line.find(':'), line.size());
        if (std::any_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), text::is_space)) continue;  // a client refuses such a name
        fields.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
    }

    const SplitUrl parts = split_url(url);
    check_path(parts.path, rules);
    check_query(parts.query);
    check_headers(fields);

    const SigV4Signer signer{options_with(rules, (data[0] & 2U) != 0)};
    const SigV4Request request{"GET", url, {}, fields, rest};
    const SigV4Signer::Time now{std::chrono::hours{400'000}};
    const std::vector<SigV4Field> made = signer.sign(request, now);
    QCONN_REQUIRE(made == signer.sign(request, now));
    QCONN_REQUIRE(made.back().first == "Authorization" && is_hex_at_end(made.back().second, ", Signature="));
    if (parts.query.find("X-Amz-Signature=") == npos) {
        const std::string presigned = signer.presign(request, std::chrono::seconds{60}, now);
        QCONN_REQUIRE(is_hex_at_end(presigned, "&X-Amz-Signature="));
        const SplitUrl signed_parts = split_url(presigned);
        QCONN_REQUIRE(signed_parts.query.starts_with(parts.query) && signed_parts.host == parts.host);
        QCONN_REQUIRE(parts.path.empty() || signed_parts.path == parts.path);
    }
    return 0;
}
