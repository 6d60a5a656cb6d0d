// SPDX-License-Identifier: Apache-2.0
// A mail of a MiB with attachments taken apart, and all of its parts decoded: parse_mail() and GMime 3 in turn. bench_mail_parse [ROUNDS]
#include <gmime/gmime.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <qconn/mail/parsed_mail.hpp>

#include "base/base64.hpp"
#include "benchmarks/measure.hpp"

using namespace qconn;

namespace {

/// A text in both forms and three attachments.
std::string mail_of(std::size_t size) {
    std::string bytes;
    unsigned seed = 1;
    for (std::size_t i = 0; i < size / 4; ++i) bytes += static_cast<char>((seed = seed * 1'103'515'245U + 12'345U) >> 16U);
    const std::string encoded = base64::encode(bytes);
    std::string lines;
    for (std::size_t at = 0; at < encoded.size(); at += 76) lines += encoded.substr(at, 76) + "\r\n";
    std::string mail =
        "From: Anna Muster <anna@example.com>\r\nTo: bert@example.org\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"
        "Date: Tue, 5 Mar 2024 10:15:30 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n--outer\r\n"
        "Content-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n--inner\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    for (int i = 0; i < 200; ++i) mail += "Gr=C3=BC=C3=9Fe, a line of the text in quoted-printable that is as long as oth=\r\ners are\r\n";
    mail += "--inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    for (int i = 0; i < 200; ++i) mail += "<p>a line of the text in HTML, which needs no encoding at all</p>\r\n";
    mail += "--inner--\r\n";
    for (int i = 0; i < 3; ++i)
        mail +=
            "--outer\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n" +
            lines;
    return mail + "--outer--\r\n";
}

std::size_t by_qconn(const std::string& mail, bool decode) {
    const ParsedMail parsed = parse_mail(mail);
    std::size_t bytes = parsed.subject().size();
    for (const MailPart& part : parsed.parts()) {
        if (!part.is_leaf()) continue;
        bytes += decode ? part.body().size() : part.raw_body().size() > 0 ? 1U : 0U;
    }
    return bytes;
}

struct GmimeSum {
    std::size_t bytes{0};
    bool decode{false};
};

void add_part(GMimeObject*, GMimeObject* part, gpointer to) {
    auto& sum = *static_cast<GmimeSum*>(to);
    if (!GMIME_IS_PART(part)) return;
    GMimeDataWrapper* const content = g_mime_part_get_content(GMIME_PART(part));
    if (content == nullptr) return;
    if (!sum.decode) {
        ++sum.bytes;
        return;
    }
    GMimeStream* const memory = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(content, memory);
    sum.bytes += static_cast<std::size_t>(g_mime_stream_length(memory));
    g_object_unref(memory);
}

std::size_t by_gmime(const std::string& mail, bool decode) {
    GMimeStream* const stream = g_mime_stream_mem_new_with_buffer(mail.data(), mail.size());
    GMimeParser* const parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage* const message = g_mime_parser_construct_message(parser, nullptr);
    GmimeSum sum{std::string{g_mime_message_get_subject(message)}.size(), decode};
    g_mime_message_foreach(message, add_part, &sum);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    return sum.bytes;
}

}  // namespace

int main(int count, char** words) {
    const int rounds = count > 1 ? std::atoi(words[1]) : 15;
    g_mime_init();
    const std::string mail = mail_of(std::size_t{1} << 20U);
    for (const bool decode : {false, true}) {
        if (by_qconn(mail, decode) != by_gmime(mail, decode)) {
            std::fprintf(stderr, "they disagree: %zu, %zu\n", by_qconn(mail, decode), by_gmime(mail, decode));
            return 1;
        }
        std::vector<double> ours;
        std::vector<double> theirs;
        constexpr int k_mails = 20;
        for (int round = 0; round < rounds; ++round) {
            double begun = bench::thread_seconds();
            for (int i = 0; i < k_mails; ++i) by_qconn(mail, decode);
            ours.push_back((bench::thread_seconds() - begun) / k_mails);
            begun = bench::thread_seconds();
            for (int i = 0; i < k_mails; ++i) by_gmime(mail, decode);
            theirs.push_back((bench::thread_seconds() - begun) / k_mails);
        }
        std::printf("%s of %zu bytes: qconn %s, GMime %s, %.1f times as fast\n", decode ? "parse and decode" : "parse", mail.size(),
                    bench::milliseconds(ours).c_str(), bench::milliseconds(theirs).c_str(), bench::median(theirs) / bench::median(ours));
    }
    return 0;
}
