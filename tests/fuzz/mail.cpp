// SPDX-License-Identifier: Apache-2.0
// Mails: whatever is asked of one, nothing is read outside of it, texts are UTF-8, and limits hold.
#include <qconn/mail/parsed_mail.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/text.hpp"
#include "fuzz/require.hpp"

using namespace qconn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    MailLimits limits;
    limits.parts = 200;
    limits.headers = 200;
    const ParsedMail mail = parse_mail(std::string{reinterpret_cast<const char*>(data), size}, limits);
    QCONN_REQUIRE(mail.bytes().size() == size);
    QCONN_REQUIRE(mail.defects().size() <= limits.defects);
    const auto inside = [&](std::string_view view) {
        return view.empty() || (view.data() >= mail.bytes().data() && view.data() + view.size() <= mail.bytes().data() + size);
    };
    const auto parts = mail.parts();
    QCONN_REQUIRE(parts.size() <= limits.parts);
    for (const MailPart& part : parts) {
        QCONN_REQUIRE(part.depth() < limits.depth);
        QCONN_REQUIRE(inside(part.raw()) && inside(part.raw_body()) && inside(part.preamble()) && inside(part.epilogue()));
        QCONN_REQUIRE(part.raw_body().size() <= part.raw().size());
        for (const MailPart& child : part.children()) {
            QCONN_REQUIRE(child.offset() >= part.offset());
            QCONN_REQUIRE(child.parent()->offset() == part.offset());
        }
        for (const MailHeader& header : part.headers()) {
            QCONN_REQUIRE(inside(header.name) && inside(header.raw));
            QCONN_REQUIRE(text::valid_utf8(header.decoded()));
            for (const MailAddress& address : header.addresses()) QCONN_REQUIRE(text::valid_utf8(address.name) && text::valid_utf8(address.address));
            (void)header.date();
        }
        for (const auto& [name, value] : part.parameters()) QCONN_REQUIRE(text::valid_utf8(value));
        QCONN_REQUIRE(text::valid_utf8(part.text().text));
        const std::string name = part.file_name();
        QCONN_REQUIRE(text::valid_utf8(name) && name.find('/') == npos && name != "..");
        (void)part.content_id();
        (void)part.disposition();
    }
    (void)mail.text();
    (void)mail.html();
    (void)mail.attachments();
    (void)mail.references();
    return 0;
}
