// SPDX-License-Identifier: Apache-2.0
#include "schemes/smtp_operations.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <qconn/mail/smtp_client.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {
namespace {

std::vector<MailAddress> addresses(const Map& given, std::string_view name) {
    std::vector<MailAddress> all;
    const Value* value = given.find(name);
    if (value == nullptr || value->is_null()) return all;
    if (value->is_list()) {
        for (const Value& one : value->as_list()) {
            for (MailAddress& address : parse_mail_addresses(scalar_text(one))) all.push_back(std::move(address));
        }
        return all;
    }
    return parse_mail_addresses(scalar_text(*value));
}

/// One text, or a list of them.
std::vector<std::string> texts(const Map& given, std::string_view name) {
    std::vector<std::string> all;
    const Value* value = given.find(name);
    if (value == nullptr || value->is_null()) return all;
    if (!value->is_list()) return {scalar_text(*value)};
    for (const Value& one : value->as_list()) all.push_back(scalar_text(one));
    return all;
}

bool is_flag_set(const Map& given, std::string_view name) {
    const Value* value = given.find(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

Value mail_reply(const Reply& reply) {
    List lines;
    for (const std::string& line : reply.lines) lines.push_back(text_or_bytes(line));
    return Map{{"code", reply.code}, {"lines", std::move(lines)}};
}

Value receipt_value(const SmtpReceipt& receipt) {
    List recipients;
    for (const SmtpRecipientAnswer& one : receipt.recipients)
        recipients.push_back(Map{{"address", one.address}, {"accepted", one.accepted()}, {"reply", mail_reply(one.reply)}});
    return Map{{"message_id", receipt.message_id},
               {"bytes", static_cast<unsigned long long>(receipt.bytes)},
               {"reply", mail_reply(receipt.reply)},
               {"recipients", std::move(recipients)}};
}

/// Of a partial one: who does not get it.
std::string send_failure(const Value& receipt) {
    std::string text;
    for (const Value& one : receipt["recipients"].as_list()) {
        if (one["accepted"].as_bool()) continue;
        text.append(text.empty() ? "refused: " : ", ").append(one["address"].as_string());
    }
    return text;
}

MailMessage message_of(const Map& given) {
    MailMessage message;
    const std::string from = text_argument(given, "from");
    if (!from.empty()) message.from = parse_mail_address(from);
    message.to = addresses(given, "to");
    message.cc = addresses(given, "cc");
    message.bcc = addresses(given, "bcc");
    message.reply_to = addresses(given, "reply_to");
    message.subject = text_argument(given, "subject");
    message.text = text_argument(given, "body");
    message.html = text_argument(given, "html");
    for (std::string& path : texts(given, "attach")) message.attachments.push_back(MailAttachment::file(std::move(path)));
    return message;
}

}  // namespace

std::vector<OperationSpec> smtp_operations() {
    const std::string addresses_help = "addresses with commas between them, or a list";
    OperationSpec send;
    send.name = "send";
    send.help = "Send a message";
    send.fields = {{"to", OptionType::any, false, addresses_help},
                   {"cc", OptionType::any, false, "likewise"},
                   {"bcc", OptionType::any, false, "likewise; nobody sees them"},
                   {"from", OptionType::string, false, "an address; default: the option from"},
                   {"reply_to", OptionType::any, false, addresses_help},
                   {"subject", OptionType::string, false, ""},
                   {"body", OptionType::string, false, "the text"},
                   {"html", OptionType::string, false, "the same as HTML"},
                   {"attach", OptionType::any, false, "a file of this machine, or a list of them"},
                   {"partial", OptionType::boolean, false, "send it to those recipients that are accepted; default: to all or to none"}};
    send.run = [](Client& client, const Map& given, Deadline deadline) {
        SmtpSendOptions options;
        options.partial = is_flag_set(given, "partial");
        return receipt_value(dynamic_cast<SmtpClient&>(client).send(message_of(given), options, deadline));
    };
    send.failure = send_failure;

    OperationSpec verify;
    verify.name = "verify";
    verify.help = "Ask whether the server knows an address (VRFY); the reply, also one that refuses, as most do";
    verify.arguments = {{"address", OptionType::string, true, ""}};
    verify.run = [](Client& client, const Map& given, Deadline deadline) {
        return mail_reply(dynamic_cast<SmtpClient&>(client).verify(text_argument(given, "address"), deadline));
    };

    OperationSpec info;
    info.name = "info";
    info.help = "What the server says that it can do";
    info.run = [](Client& client, const Map&, Deadline deadline) {
        const SmtpServerInfo known = dynamic_cast<SmtpClient&>(client).connect(deadline);
        List auth;
        for (const std::string& one : known.auth) auth.push_back(text_or_bytes(one));
        Map map{{"greeting", text_or_bytes(known.greeting)},
                {"tls", known.tls.has_value()},
                {"auth", std::move(auth)},
                {"pipelining", known.pipelining},
                {"8bitmime", known.eight_bit},
                {"smtputf8", known.smtputf8},
                {"dsn", known.dsn},
                {"enhanced_status_codes", known.enhanced_status}};
        if (known.max_size) map.set("max_size", static_cast<unsigned long long>(*known.max_size));
        return Value{std::move(map)};
    };
    return {std::move(send), std::move(verify), std::move(info)};
}

}  // namespace qconn::schemes
