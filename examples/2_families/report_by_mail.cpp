// SPDX-License-Identifier: Apache-2.0
// A report by mail, sent until it is known what became of it.
//
//     report_by_mail DIRECTORY-WITH-DEFINITIONS CONNECTION RECIPIENTS FILE
//
// RECIPIENTS as people write them: "Jörg Müller <j@x.example>, other@y.example". What the server refuses for now is tried again; what it refuses for
// good, or may have taken without an answer, is not.
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include <qconn/qconn.hpp>

using namespace std::chrono_literals;

namespace {

qconn::MailMessage report(const std::string& recipients, const std::string& file) {
    qconn::MailMessage message;
    message.to = qconn::parse_mail_addresses(recipients);
    message.subject = "Größen im November";
    message.text = "Die Zahlen sind angehängt.\n";
    message.html = "<p>Die <b>Zahlen</b> sind angehängt.</p>\n";
    message.attachments = {qconn::MailAttachment::file(file)};  // read while it is sent, whatever its size
    return message;
}

/// Says who got it, and who did not.
void tell(const qconn::SmtpReceipt& receipt) {
    for (const auto& one : receipt.recipients)
        std::cout << one.address << (one.accepted() ? ": accepted\n" : ": refused, " + one.reply.text() + '\n');
    std::cout << "message " << receipt.message_id << ", " << receipt.bytes << " bytes: " << receipt.reply.text() << '\n';
}

bool send(qconn::SmtpClient& mail, const qconn::MailMessage& message) {
    const qconn::SmtpSendOptions options{.partial = true};  // one wrong address does not keep it from the others
    for (auto wait = 100ms;; wait *= 2) {
        try {
            tell(mail.send(message, options, 60s));
            return true;
        } catch (const qconn::Error& error) {
            std::cerr << error.what() << '\n';
            const auto* detail = error.detail<qconn::SmtpErrorDetail>();
            if (detail != nullptr && detail->sent == qconn::SmtpSent::unknown) std::cerr << "the server may have it: somebody has to look\n";
            if (!error.retryable() || wait > 1s) return false;
            std::cerr << "once more in " << wait.count() << " ms\n";
            std::this_thread::sleep_for(wait);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: report_by_mail DIRECTORY CONNECTION RECIPIENTS FILE\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto mail = registry.get<qconn::SmtpClient>(argv[2]).pin();
        return send(*mail, report(argv[3], argv[4])) ? 0 : 1;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
