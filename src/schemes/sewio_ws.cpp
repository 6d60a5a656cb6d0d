// SPDX-License-Identifier: Apache-2.0
// sewiows and sewiowss: feeds of Sewio RTLS Studio.
#include <qconn/websocket/sewio_client.hpp>

#include <memory>
#include <utility>

#include "schemes/schemes.hpp"
#include "schemes/websocket_options.hpp"

namespace qconn::schemes {
namespace {

SewioWebSocketOptions sewio_options_of(const ResolvedDefinition& definition) {
    SewioWebSocketOptions options;
    options.websocket = websocket_options_of(definition);
    const Value& key = option_of(definition, "apikey");
    if (key.is_string()) options.api_key = Secret{key.as_string()};
    return options;
}

Value value_of(const SewioMessage& message) { return message.all; }

OperationSpec feed_operation(const char* name, const char* help) {
    OperationSpec spec;
    spec.name = name;
    spec.help = help;
    spec.arguments.push_back({"resource", OptionType::string, true, "for example /feeds/17"});
    spec.fields.push_back(count_field());
    return spec;
}

}  // namespace

Scheme sewiows_scheme() {
    Scheme scheme = websocket_kind("sewiows");
    scheme.title = "Sewio RTLS Studio, feeds";
    scheme.help =
        "Feeds of Sewio RTLS Studio over WebSocket. Each message has the key of the API in its headers; the handshake has not. A ping makes the handshake "
        "and closes.";
    scheme.example_url = "sewiowss://rtls.example.com/sensmapserver/api";
    OptionSpec key;
    key.name = "apikey";
    key.type = OptionType::string;
    key.help = "Key of the API, sent in each message";
    key.sensitive = true;
    key.example = "${env:API_KEY}";
    key.check = [](const Value& v) { return v.as_string().empty() ? std::string{"it is empty"} : std::string{}; };
    scheme.options.push_back(std::move(key));
    scheme.required = {{{{"apikey"}}}};
    scheme.clients = client_types<SewioWebSocketClient>({"SewioWebSocketClient"});
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<SewioWebSocketClient>(sewio_options_of(definition), runtime);
    };

    OperationSpec subscribe = feed_operation("subscribe", "Subscribe to a feed, and the next message that comes; with count, a list of so many");
    subscribe.run = [](Client& client, const Map& arguments, Deadline deadline) {
        auto& sewio = dynamic_cast<SewioWebSocketClient&>(client);
        sewio.subscribe(text_argument(arguments, "resource"), deadline);
        return received(arguments, [&] { return value_of(sewio.receive(deadline)); });
    };
    OperationSpec send;
    send.name = "send";
    send.help = "Send a request, and the next message that comes";
    send.arguments.push_back({"method", OptionType::string, true, "for example subscribe"});
    send.arguments.push_back({"resource", OptionType::string, true, "for example /feeds/17"});
    send.arguments.push_back({"body", OptionType::any, false, "a value"});
    send.fields.push_back(count_field());
    send.run = [](Client& client, const Map& arguments, Deadline deadline) {
        auto& sewio = dynamic_cast<SewioWebSocketClient&>(client);
        const Value* body = arguments.find("body");
        sewio.send(text_argument(arguments, "method"), text_argument(arguments, "resource"), body != nullptr ? *body : Value{}, deadline);
        return received(arguments, [&] { return value_of(sewio.receive(deadline)); });
    };
    scheme.operations = {std::move(subscribe), std::move(send)};
    return scheme;
}

}  // namespace qconn::schemes
