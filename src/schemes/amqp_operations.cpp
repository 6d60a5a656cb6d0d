// SPDX-License-Identifier: Apache-2.0
#include "schemes/amqp_operations.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/amqp/amqp_client.hpp>

#include "amqp/amqp_error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "schemes/convert.hpp"

namespace qconn::schemes {
namespace {

using std::chrono::milliseconds;
using Argument = OperationSpec::Argument;

constexpr std::string_view k_application = "app.";
/// How long the end of a link may take when all is done.
constexpr std::chrono::seconds k_ending{2};

[[noreturn]] void refuse_argument(const std::string& what) { throw make_error(Errc::invalid_argument, what); }

const Value& given_value(const Map& given, std::string_view name) {
    static const Value none;
    const Value* const value = given.find(name);
    return value != nullptr ? *value : none;
}

// ---- from words to a message ----

std::vector<Argument> message_fields() {
    return {
        {"type", OptionType::string, false,
         "of the body: string, data (a section of bytes: the text as it is), json (composite data), value (JSON as it is), or an AMQP type by name "
         "(int, uuid, binary in hexadecimal digits …); default: string"},
        {"message-id", OptionType::any, false, "a number is sent as ulong, else a string"},
        {"correlation-id", OptionType::any, false, "likewise"},
        {"durable", OptionType::boolean, false, "default: false"},
        {"priority", OptionType::integer, false, "0 to 255; default: 4"},
        {"ttl", OptionType::integer, false, "milliseconds that it may live"},
        {"user-id", OptionType::string, false, ""},
        {"to", OptionType::string, false, ""},
        {"subject", OptionType::string, false, ""},
        {"reply-to", OptionType::string, false, ""},
        {"content-type", OptionType::string, false, ""},
        {"content-encoding", OptionType::string, false, ""},
        {"group-id", OptionType::string, false, ""},
        {"group-sequence", OptionType::integer, false, ""},
        {"reply-to-group-id", OptionType::string, false, ""}};
}

/// The body of `type=NAME`: what the composite data JSON has as the value of that type.
AmqpValue value_of_type(std::string_view type, const std::string& text) {
    constexpr std::array<std::string_view, 6> k_texts{"char", "uuid", "binary", "string", "symbol", "decimal"};
    constexpr std::array<std::string_view, 3> k_words{"NaN", "Infinity", "-Infinity"};
    const bool quoted = std::any_of(k_texts.begin(), k_texts.end(), [&](std::string_view one) { return type.starts_with(one); }) ||
                        std::find(k_words.begin(), k_words.end(), text) != k_words.end();
    const std::string value = type == "null" ? "null" : quoted ? json::quoted(text) : text;
    return AmqpValue::from_json("{\"type\":" + json::quoted(type) + ",\"value\":" + value + '}');
}

void set_body(AmqpMessage& message, const Map& given, std::string_view name) {
    const std::string type = given.contains("type") ? text_argument(given, "type") : "string";
    if (type == "data")
        message.body = AmqpData{{body_argument(given, name)}};
    else if (type == "json")
        message.body = AmqpValue::from_json(body_argument(given, name));
    else if (type == "value")
        message.body = AmqpValue::from_value(json::decode(body_argument(given, name)).value());
    else if (type == "null")
        message.body = AmqpValue{};
    else
        message.body = value_of_type(type, body_argument(given, name));
}

/// Numbers are ulongs, everything else a string: of the types of a message-id those that a word can say.
AmqpValue id_of(const Value& value) {
    if (value.is_integer() && value.as_int64() >= 0) return AmqpValue{static_cast<std::uint64_t>(value.as_int64())};
    return AmqpValue{scalar_text(value)};
}

template <class Number>
Number number_of(const Map& given, std::string_view name) {
    const Value& value = given_value(given, name);
    if (!value.is_integer() || !std::in_range<Number>(value.as_int64()))
        refuse_argument("'" + std::string{name} + "' must be a whole number from 0 to " + std::to_string(std::numeric_limits<Number>::max()));
    return static_cast<Number>(value.as_int64());
}

bool flag_of(const Map& given, std::string_view name) {
    const Value& value = given_value(given, name);
    return value.is_bool() && value.as_bool();
}

/// A field of the properties that is a text.
struct TextField {
    std::string_view name;
    std::optional<std::string> AmqpProperties::*member;
};
constexpr std::array<TextField, 5> k_text_fields{{{"to", &AmqpProperties::to},
                                                  {"subject", &AmqpProperties::subject},
                                                  {"reply-to", &AmqpProperties::reply_to},
                                                  {"group-id", &AmqpProperties::group_id},
                                                  {"reply-to-group-id", &AmqpProperties::reply_to_group_id}}};

AmqpProperties properties_from(const Map& given) {
    AmqpProperties out;
    if (given.contains("message-id")) out.message_id = id_of(given_value(given, "message-id"));
    if (given.contains("correlation-id")) out.correlation_id = id_of(given_value(given, "correlation-id"));
    if (given.contains("user-id")) out.user_id = AmqpBinary{text_argument(given, "user-id")};
    for (const TextField& field : k_text_fields)
        if (given.contains(field.name)) out.*field.member = text_argument(given, field.name);
    if (given.contains("content-type")) out.content_type = AmqpSymbol{text_argument(given, "content-type")};
    if (given.contains("content-encoding")) out.content_encoding = AmqpSymbol{text_argument(given, "content-encoding")};
    if (given.contains("group-sequence")) out.group_sequence = number_of<std::uint32_t>(given, "group-sequence");
    return out;
}

AmqpMessage message_from(const Map& given, std::string_view body) {
    AmqpMessage out;
    set_body(out, given, body);
    AmqpHeader header;
    if (given.contains("durable")) header.durable = flag_of(given, "durable");
    if (given.contains("priority")) header.priority = number_of<std::uint8_t>(given, "priority");
    if (given.contains("ttl")) header.ttl = milliseconds{number_of<std::uint32_t>(given, "ttl")};
    if (header != AmqpHeader{}) out.header = header;
    if (AmqpProperties properties = properties_from(given); properties != AmqpProperties{}) out.properties = std::move(properties);
    for (const auto& [name, value] : given)
        if (name.starts_with(k_application)) out.application_properties.emplace_back(name.substr(k_application.size()), AmqpValue::from_value(value));
    return out;
}

// ---- from a message to a value ----

void put_map(Map& to, std::string name, const AmqpMap& map) {
    if (!map.empty()) to.set(std::move(name), AmqpValue{map}.to_value());
}

Value header_shown(const AmqpHeader& header) {
    Map out{{"durable", header.durable}, {"priority", static_cast<std::int64_t>(header.priority)}};
    if (header.ttl) out.set("ttl", static_cast<std::int64_t>(header.ttl->count()));
    if (header.first_acquirer) out.set("first-acquirer", true);
    if (header.delivery_count > 0) out.set("delivery-count", static_cast<std::int64_t>(header.delivery_count));
    return out;
}

Value properties_shown(const AmqpProperties& properties) {
    Map out;
    if (!properties.message_id.is_null()) out.set("message-id", properties.message_id.to_value());
    if (properties.user_id) out.set("user-id", text_or_bytes(properties.user_id->bytes));
    for (const TextField& field : k_text_fields)
        if (const auto& text = properties.*field.member) out.set(std::string{field.name}, *text);
    if (!properties.correlation_id.is_null()) out.set("correlation-id", properties.correlation_id.to_value());
    if (properties.content_type) out.set("content-type", properties.content_type->name);
    if (properties.content_encoding) out.set("content-encoding", properties.content_encoding->name);
    if (properties.absolute_expiry_time) out.set("absolute-expiry-time", AmqpValue{*properties.absolute_expiry_time}.to_value());
    if (properties.creation_time) out.set("creation-time", AmqpValue{*properties.creation_time}.to_value());
    if (properties.group_sequence) out.set("group-sequence", static_cast<std::int64_t>(*properties.group_sequence));
    return out;
}

Value body_shown(const AmqpMessage& message, std::string& type) {
    if (const auto* const value = std::get_if<AmqpValue>(&message.body)) {
        type = to_string(value->type());
        return value->to_value();
    }
    if (const auto* const data = std::get_if<AmqpData>(&message.body)) {
        type = "data";
        std::string all;
        for (const std::string& section : data->sections) all += section;
        return text_or_bytes(std::move(all));
    }
    if (const auto* const sequence = std::get_if<AmqpSequence>(&message.body)) {
        type = "sequence";
        AmqpList all;
        for (const AmqpList& section : sequence->sections) all.insert(all.end(), section.begin(), section.end());
        return AmqpValue{std::move(all)}.to_value();
    }
    type = "none";
    return {};
}

Value message_shown(const AmqpReceived& received) {
    const AmqpMessage& message = received.message;
    Map out;
    if (message.header) out.set("header", header_shown(*message.header));
    put_map(out, "delivery-annotations", message.delivery_annotations);
    put_map(out, "message-annotations", message.message_annotations);
    if (message.properties) out.set("properties", properties_shown(*message.properties));
    put_map(out, "application-properties", message.application_properties);
    std::string type;
    Value body = body_shown(message, type);
    out.set("type", std::move(type));
    out.set("body", std::move(body));
    put_map(out, "footer", message.footer);
    if (received.settled) out.set("settled", true);
    return out;
}

Value link_shown(const AmqpLinkInfo& link) {
    return Map{{"name", link.name},
               {"session", link.session},
               {"role", link.is_receiver ? "receiver" : "sender"},
               {"open", link.is_open},
               {"address", link.address},
               {"credit", static_cast<std::int64_t>(link.credit)},
               {"unsettled", static_cast<std::int64_t>(link.unsettled)},
               {"waiting", static_cast<std::int64_t>(link.waiting)},
               {"messages", static_cast<std::int64_t>(link.messages)}};
}

Value peer_shown(const AmqpInfo& info) {
    Map out{{"host", info.host},
            {"port", static_cast<std::int64_t>(info.port)},
            {"container-id", info.container_id},
            {"max-frame-size", static_cast<std::int64_t>(info.max_frame_size)},
            {"channel-max", static_cast<std::int64_t>(info.channel_max)},
            {"idle-timeout", static_cast<std::int64_t>(info.idle_timeout.count())}};
    put_map(out, "properties", info.properties);
    return out;
}

// ---- addresses, times, outcomes ----

std::string address_of(const AmqpClient& client, const Map& given, std::string_view name) {
    std::string out = text_argument(given, name);
    if (out.empty()) out = client.options().address;
    if (out.empty()) refuse_argument("no address is named, and the connection has none: give one, or put it into the URL's path");
    return out;
}

/// With a body as the last word the address may be left out, where the connection has one.
struct AddressAndBody {
    std::string address;
    std::string_view body;
};
AddressAndBody address_and_body(const AmqpClient& client, const Map& given) {
    if (given.contains("body")) return {address_of(client, given, "address"), "body"};
    if (text_argument(given, "type") == "null") return {address_of(client, given, "address"), "body"};
    if (!given.contains("address")) refuse_argument("there is no body");
    if (client.options().address.empty()) refuse_argument("one word is the body, and the connection has no address: give ADDRESS and BODY");
    return {client.options().address, "address"};
}

/// Application properties are free; any other name that is not known is a slip.
void check_fields(const Map& given) {
    const std::vector<Argument> known = message_fields();
    for (const auto& entry : given) {
        const std::string& name = entry.first;
        if (name.starts_with(k_application) && name.size() > k_application.size()) continue;
        constexpr std::array<std::string_view, 4> k_others{"address", "body", "settled", "timeout"};
        if (std::find(k_others.begin(), k_others.end(), std::string_view{name}) != k_others.end()) continue;
        if (std::any_of(known.begin(), known.end(), [&](const Argument& one) { return one.name == name; })) continue;
        refuse_argument("there is no field '" + text::printable(text::shorten(name, 60)) +
                        "'; application properties are app.KEY=VALUE, and a body with '=' in it comes after --");
    }
}

Deadline within(const Map& given, Deadline deadline) {
    const Value& timeout = given_value(given, "timeout");
    if (!timeout.is_integer()) return deadline;
    return earlier(deadline, Deadline{milliseconds{std::max<std::int64_t>(timeout.as_int64(), 0)}});
}

Deadline ending(Deadline deadline) { return earlier(deadline, Deadline{k_ending}); }

AmqpOutcome outcome_of(const Map& given) {
    const std::string word = given.contains("outcome") ? text_argument(given, "outcome") : "accepted";
    if (word == "accepted") return AmqpOutcome::accepted();
    if (word == "released") return AmqpOutcome::released();
    if (word == "modified") return AmqpOutcome::modified(true);
    if (word == "rejected") return AmqpOutcome::rejected({text_argument(given, "condition"), text_argument(given, "description"), {}});
    refuse_argument("'outcome' must be one of accepted, rejected, released, modified");
}

// ---- what is done ----

/// A link for one call. The client may live longer: where the call fails the link is closed all the same.
template <class Link>
class OwnLink {
public:
    explicit OwnLink(Link link) : link_{std::move(link)} {}
    OwnLink(const OwnLink&) = delete;
    OwnLink& operator=(const OwnLink&) = delete;
    ~OwnLink() {
        if (!link_) return;
        try {
            link_.async_close(Deadline{k_ending}, {});
        } catch (const std::exception&) {}  // without memory it ends with the client
    }
    Link* operator->() noexcept { return &link_; }
    void close(Deadline deadline) { std::exchange(link_, {}).close(ending(deadline)); }

private:
    Link link_;
};

void send_once(AmqpClient& client, const std::string& address, const AmqpMessage& message, bool settled, Deadline deadline) {
    AmqpSenderOptions options;
    options.target.address = address;
    OwnLink sender{client.open_sender(std::move(options), deadline)};
    sender->send(message, settled, deadline);
    sender.close(deadline);
}

Value send(AmqpClient& client, const Map& given, Deadline deadline) {
    const auto [address, body] = address_and_body(client, given);
    check_fields(given);
    send_once(client, address, message_from(given, body), flag_of(given, "settled"), deadline);
    return {};
}

/// One at a time, so that no more are taken from the peer than are wanted.
AmqpReceiver fetching_from(AmqpClient& client, std::string address, Deadline deadline) {
    AmqpReceiverOptions options;
    options.source.address = std::move(address);
    options.mode = AmqpReceiverOptions::Mode::fetch;
    options.auto_accept = false;
    return client.open_receiver(std::move(options), deadline);
}

/// The answer reaches the peer before the end of the link does, whose own answer is waited for.
Value fetch_one(OwnLink<AmqpReceiver>& receiver, const AmqpOutcome& outcome, Deadline deadline) {
    const AmqpReceived received = receiver->fetch(deadline);
    Value out = message_shown(received);
    if (!received.settled) received.answer(outcome);
    return out;
}

Value receive(AmqpClient& client, const Map& given, Deadline deadline) {
    const AmqpOutcome outcome = outcome_of(given);
    const std::int64_t count = given.contains("count") ? given_value(given, "count").as_int64() : 1;
    if (count < 1) refuse_argument("'count' must be at least 1");
    OwnLink receiver{fetching_from(client, address_of(client, given, "address"), deadline)};
    const Deadline until = within(given, deadline);
    List all;
    try {
        while (static_cast<std::int64_t>(all.size()) < count) all.push_back(fetch_one(receiver, outcome, until));
    } catch (const Error& error) {
        // What has come until the time is over is the answer.
        const bool none = error.code() == AmqpErrc::receive || error.code() == Errc::timeout;
        if (!none || !given.contains("timeout")) throw;
    }
    receiver.close(deadline);
    return Value{std::move(all)};
}

Value fetch(AmqpClient& client, const Map& given, Deadline deadline) {
    const AmqpOutcome outcome = outcome_of(given);
    OwnLink receiver{fetching_from(client, address_of(client, given, "address"), deadline)};
    Value out = fetch_one(receiver, outcome, within(given, deadline));
    receiver.close(deadline);
    return out;
}

/// The peer makes a node for the reply, which is gone with its link.
Value request(AmqpClient& client, const Map& given, Deadline deadline) {
    const auto [address, body] = address_and_body(client, given);
    check_fields(given);
    deadline = within(given, deadline);
    AmqpMessage message = message_from(given, body);
    AmqpReceiverOptions options;
    options.source.dynamic = true;
    options.credit = 1;
    options.threshold = 0;
    OwnLink replies{client.open_receiver(std::move(options), deadline)};
    AmqpProperties& properties = message.properties ? *message.properties : message.properties.emplace();
    properties.reply_to = replies->info().address;
    if (properties.message_id.is_null()) properties.message_id = AmqpUuid::random().text();
    send_once(client, address, message, false, deadline);
    try {
        Value out = message_shown(replies->receive(deadline));
        replies.close(deadline);
        return out;
    } catch (const Error& error) {
        if (error.code() != Errc::timeout) throw;
        throw amqp::amqp_error(AmqpErrc::request_timeout,
                               "the request to \"" + text::printable(text::shorten(address, 100)) + "\" was accepted, and nobody replied in time")
            .with_connection(std::string{client.label()});
    }
}

OperationSpec amqp_operation(std::string name, std::string help, std::vector<Argument> arguments, std::vector<Argument> fields, bool free,
                             std::function<Value(AmqpClient&, const Map&, Deadline)> run) {
    OperationSpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.arguments = std::move(arguments);
    spec.fields = std::move(fields);
    spec.free_fields = free;
    spec.run = [run = std::move(run)](Client& client, const Map& given, Deadline deadline) {
        return run(dynamic_cast<AmqpClient&>(client), given, deadline);
    };
    return spec;
}

}  // namespace

std::vector<OperationSpec> amqp_operations() {
    const Argument address{"address", OptionType::string, false, "node; default: that of the connection"};
    const std::vector<Argument> address_body{{"address", OptionType::string, false, "node; left out: that of the connection"},
                                             {"body", OptionType::string, false, "text of the message"}};
    const Argument timeout{"timeout", OptionType::integer, false, "milliseconds to wait; default: as long as the call may last"};
    const std::vector<Argument> outcome{{"outcome", OptionType::string, false, "accepted, rejected, released, modified; default: accepted"},
                                        {"condition", OptionType::string, false, "of rejected: why, as a symbol"},
                                        {"description", OptionType::string, false, "of rejected: why, in words"}};
    std::vector<Argument> receiving{
        {"count", OptionType::integer, false, "how many; default: 1"},
        {"timeout", OptionType::integer, false, "milliseconds after which those that have come are enough; default: an error when the time is over"}};
    receiving.insert(receiving.end(), outcome.begin(), outcome.end());
    std::vector<Argument> fetching{timeout};
    fetching.insert(fetching.end(), outcome.begin(), outcome.end());
    std::vector<Argument> sending = message_fields();
    sending.push_back({"settled", OptionType::boolean, false, "sent without waiting for an outcome; default: false"});
    std::vector<Argument> requesting = message_fields();
    requesting.push_back(timeout);
    return {
        amqp_operation("send", "Send a message and wait for its outcome; application properties as app.KEY=VALUE", address_body, std::move(sending),
                       true, send),
        amqp_operation("receive", "The next messages of a node, as a list", {address}, std::move(receiving), false, receive),
        amqp_operation("fetch", "One message of a node; an error where it has none", {address}, std::move(fetching), false, fetch),
        amqp_operation("request", "Send a message and wait for the reply at a node that the peer makes for it", address_body, std::move(requesting),
                       true, request),
        amqp_operation("links", "The links that are open", {}, {}, false,
                       [](AmqpClient& client, const Map&, Deadline) {
                           List all;
                           for (const AmqpLinkInfo& link : client.links()) all.push_back(link_shown(link));
                           return Value{std::move(all)};
                       }),
        amqp_operation("info", "What the peer says of itself", {}, {}, false,
                       [](AmqpClient& client, const Map&, Deadline deadline) { return peer_shown(client.connect(deadline)); }),
    };
}

}  // namespace qconn::schemes
