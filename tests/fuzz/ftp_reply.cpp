// SPDX-License-Identifier: Apache-2.0
// Replies of a control connection: the same in pieces of any size; and what is read out of them.
#include "ftp/reply.hpp"
#include "net/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"

namespace {

std::vector<std::string> all_of(std::string_view text, std::size_t piece) {
    std::vector<std::string> all;
    qconn::net::ReplyParser parser;
    while (!text.empty() && parser.problem().empty()) {
        text.remove_prefix(parser.feed(text.substr(0, piece)));
        if (const auto reply = parser.take()) all.push_back(std::to_string(reply->code) + reply->text());
    }
    all.push_back(parser.problem());
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto whole = all_of(text, size);
    QCONN_REQUIRE(whole == all_of(text, 1) && whole == all_of(text, 7));
    for (const std::string& one : whole) {
        qconn::ftp::epsv_port(one);
        qconn::ftp::pasv_port(one);
        qconn::ftp::quoted_path(one);
    }
    return 0;
}
