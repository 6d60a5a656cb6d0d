// SPDX-License-Identifier: Apache-2.0
// Addresses as text: what is read is an address, is written as text, and is read again as it was; no header that it is put into becomes two.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/mail/mail_address.hpp>

#include "fuzz/require.hpp"
#include "mail/header_encoding.hpp"
#include "mail/mail_address.hpp"

using namespace qconn;

namespace {

/// Each line but the first begins with a blank, and has something behind it.
void is_one_header(std::string_view text) {
    QCONN_REQUIRE(text.ends_with("\r\n"));
    text.remove_suffix(2);
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        QCONN_REQUIRE(at > 0 && text[at - 1] == '\r');
        QCONN_REQUIRE(at + 1 < text.size() && text[at + 1] == ' ');
    }
    QCONN_REQUIRE(text.find('\0') == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    std::vector<MailAddress> all;
    try {
        all = parse_mail_addresses(text);
    } catch (const Error& error) {
        QCONN_REQUIRE(error.reason() == Reason::bad_value);
        return 0;
    }
    for (const MailAddress& one : all) {
        QCONN_REQUIRE(mail::is_address(one.address));
        const MailAddress again = parse_mail_address(to_text(one));
        QCONN_REQUIRE(again == one);
    }
    std::string header;
    mail::append_address_header(header, "To", all);
    if (!all.empty()) is_one_header(header);
    for (const MailAddress& one : all) {
        header.clear();
        mail::append_text_header(header, "Subject", one.name);
        is_one_header(header);
    }
    return 0;
}
