// SPDX-License-Identifier: Apache-2.0
#include "schemes/pop3_operations.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/wall_time.hpp>
#include <qconn/mail/parsed_mail.hpp>
#include <qconn/mail/pop3_client.hpp>

#include "base/text.hpp"
#include "schemes/convert.hpp"

namespace qconn::schemes {
namespace {

std::uint32_t message_number(const Value& value) {
    if (value.is_integer() && value.as_int64() > 0 && value.as_int64() <= std::numeric_limits<std::uint32_t>::max())
        return static_cast<std::uint32_t>(value.as_int64());
    throw make_error(Errc::invalid_argument, "a message is named by its number, which 'list' shows, from 1 on");
}

std::uint32_t number_argument(const Map& given, std::string_view name) {
    const Value* const value = given.find(name);
    return message_number(value != nullptr ? *value : Value{});
}

Value shown(const std::vector<Pop3Entry>& entries, bool sizes) {
    List all;
    for (const Pop3Entry& one : entries) {
        Map entry{{"number", static_cast<std::int64_t>(one.number)}};
        if (sizes) entry.set("size", static_cast<std::int64_t>(one.size));
        if (!one.uid.empty()) entry.set("uid", text_or_bytes(one.uid));
        all.push_back(std::move(entry));
    }
    return Value{std::move(all)};
}

List shown(const std::vector<MailAddress>& addresses) {
    List all;
    for (const MailAddress& one : addresses) all.push_back(one.name.empty() ? one.address : one.name + " <" + one.address + '>');
    return all;
}

/// For people and scripts: what a mail says, without the contents of what is attached.
Value mail_shown(std::string bytes) {
    const ParsedMail mail = parse_mail(std::move(bytes));
    Map out;
    out.set("subject", mail.subject());
    out.set("from", shown(mail.from()));
    out.set("to", shown(mail.to()));
    if (const auto cc = mail.cc(); !cc.empty()) out.set("cc", shown(cc));
    if (const auto date = mail.date()) out.set("date", rfc3339(date->time));
    if (const std::string id = mail.message_id(); !id.empty()) out.set("message-id", text_or_bytes(id));
    if (auto text = mail.text()) out.set("text", std::move(*text));
    if (auto html = mail.html()) out.set("html", std::move(*html));
    List attachments;
    for (const MailPart& part : mail.attachments()) {
        Map one{{"type", text_or_bytes(std::string{part.content_type()})}, {"size", static_cast<std::int64_t>(part.body().size())}};
        if (std::string name = part.file_name(); !name.empty()) one.set("name", std::move(name));
        if (std::string id = part.content_id(); !id.empty()) one.set("content-id", text_or_bytes(std::move(id)));
        attachments.push_back(std::move(one));
    }
    if (!attachments.empty()) out.set("attachments", std::move(attachments));
    List defects;
    for (const MailDefect& one : mail.defects())
        defects.push_back(Map{{"kind", std::string{to_string(one.kind)}}, {"offset", static_cast<std::int64_t>(one.offset)}});
    if (!defects.empty()) out.set("defects", std::move(defects));
    return out;
}

bool wants_parsed(const Map& given) {
    const Value* const value = given.find("parsed");
    return value != nullptr && value->is_bool() && value->as_bool();
}

OperationSpec operation(std::string name, std::string help, std::function<Value(Pop3Client&, const Map&, Deadline)> run) {
    OperationSpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.run = [run = std::move(run)](Client& client, const Map& given, Deadline deadline) {
        return run(dynamic_cast<Pop3Client&>(client), given, deadline);
    };
    return spec;
}

Value deleted(const Pop3Committed& committed) {
    return Map{{"deleted", static_cast<std::int64_t>(committed.deleted)}, {"answer", text_or_bytes(committed.answer)}};
}

/// By numbers or, which mean the same message whatever others have deleted, by unique ids.
Value remove_messages(Pop3Client& client, const Map& given, Deadline deadline) {
    std::vector<std::uint32_t> numbers;
    if (const Value* const list = given.find("numbers"); list != nullptr && list->is_list())
        for (const Value& one : list->as_list()) numbers.push_back(message_number(one));
    std::vector<std::string> uids;
    if (given.contains("uid")) uids.push_back(text_argument(given, "uid"));
    if (numbers.empty() == uids.empty()) throw make_error(Errc::invalid_argument, "name messages by their numbers, or one by uid=UNIQUE-ID");
    return deleted(uids.empty() ? client.remove(numbers, deadline) : client.remove_uids(uids, deadline));
}

}  // namespace

std::vector<OperationSpec> pop3_operations() {
    const OperationSpec::Argument number{"number", OptionType::integer, true, "of a message, as list shows it"};
    const OperationSpec::Argument parsed{"parsed", OptionType::boolean, false, "what the mail says, in the place of its bytes; default: false"};
    std::vector<OperationSpec> all;
    all.push_back(operation("list", "Numbers, sizes and unique ids of the messages",
                            [](Pop3Client& client, const Map&, Deadline deadline) { return shown(client.list(deadline), true); }));
    all.push_back(operation("uidl", "Numbers and unique ids of the messages",
                            [](Pop3Client& client, const Map&, Deadline deadline) { return shown(client.uidl(deadline), false); }));
    all.push_back(operation("stat", "How many messages there are, and their size", [](Pop3Client& client, const Map&, Deadline deadline) {
        const Pop3Stat stat = client.stat(deadline);
        return Value{Map{{"messages", static_cast<std::int64_t>(stat.messages)}, {"size", static_cast<std::int64_t>(stat.size)}}};
    }));
    {
        OperationSpec spec = operation("retrieve", "A message; it stays in the mailbox", [](Pop3Client& client, const Map& given, Deadline deadline) {
            std::string text = client.retrieve(number_argument(given, "number"), deadline);
            return wants_parsed(given) ? mail_shown(std::move(text)) : text_or_bytes(std::move(text));
        });
        spec.arguments.push_back(number);
        spec.fields.push_back(parsed);
        all.push_back(std::move(spec));
    }
    {
        OperationSpec spec = operation("top", "The headers of a message, and the first lines of its body",
                                       [](Pop3Client& client, const Map& given, Deadline deadline) {
                                           const Value* const lines = given.find("lines");
                                           std::uint32_t count = 0;
                                           if (lines != nullptr && lines->is_integer() && lines->as_int64() > 0) count = message_number(*lines);
                                           std::string text = client.top(number_argument(given, "number"), count, deadline);
                                           return wants_parsed(given) ? mail_shown(std::move(text)) : text_or_bytes(std::move(text));
                                       });
        spec.arguments = {number, {"lines", OptionType::integer, false, "of the body; default: 0"}};
        spec.fields.push_back(parsed);
        all.push_back(std::move(spec));
    }
    {
        OperationSpec spec = operation("delete", "Deletes messages: all that are named, or none where one of them is not there", remove_messages);
        spec.fields.push_back({"uid", OptionType::string, false, "the unique id of one, in the place of numbers"});
        spec.rest = OperationSpec::Argument{"numbers", OptionType::integer, false, "of messages, as list shows them"};
        all.push_back(std::move(spec));
    }
    all.push_back(operation("capabilities", "What the server says that it can do (CAPA)", [](Pop3Client& client, const Map&, Deadline deadline) {
        List lines;
        for (std::string& line : client.capabilities(deadline).lines) lines.push_back(text_or_bytes(std::move(line)));
        return Value{std::move(lines)};
    }));
    return all;
}

}  // namespace qconn::schemes
