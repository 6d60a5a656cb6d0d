// SPDX-License-Identifier: Apache-2.0
#include <qconn/websocket/sewio_client.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/text.hpp"
#include "websocket/conversation.hpp"
#include "websocket/sewio_message.hpp"
#include "websocket/websocket_error.hpp"

namespace qconn {
namespace websocket {
namespace {

std::string text_of(const Value* value) { return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{}; }

}  // namespace

std::string sewio_request(const Secret& key, std::string_view method, std::string_view resource, const Value& body) {
    Map message{{"headers", Map{{"X-ApiKey", key.reveal()}}}, {"method", method}, {"resource", resource}};
    if (!body.is_null()) message.set("body", body);
    return json::encode(Value{std::move(message)});
}

Result<SewioMessage> read_sewio_message(std::string_view text, std::string_view label) {
    Result<Value> read = json::decode(text);
    if (!read || !read->is_map()) {
        return make_websocket_error(WebSocketErrc::api_key,
                                    "a message of the server is no JSON object: \"" + text::printable(text::shorten(text, 120)) + '"',
                                    Phase::protocol, Reason::bad_answer, label);
    }
    SewioMessage message;
    message.all = std::move(*read);
    const Map& all = message.all.as_map();
    message.method = text_of(all.find("method"));
    message.resource = text_of(all.find("resource"));
    if (const Value* status = all.find("status"); status != nullptr && status->is_integer()) message.status = static_cast<int>(status->as_int64());
    if (const Value* headers = all.find("headers")) message.headers = *headers;
    if (const Value* body = all.find("body")) message.body = *body;
    return message;
}

}  // namespace websocket

struct SewioWebSocketClient::Impl {
    explicit Impl(SewioWebSocketOptions given) : options{std::move(given)} {}

    SewioWebSocketOptions options;
    std::mutex mutex;  // of what follows
    std::vector<std::string> subscribed;
    std::uint64_t setups{0};
    // Last, so that it goes first: its handlers use the rest. It goes with the last blocking call.
    std::unique_ptr<WebSocketClient> client;

    std::string request(std::string_view method, std::string_view resource, const Value& body) const {
        return websocket::sewio_request(options.api_key, method, resource, body);
    }
    void set_up(WebSocketSetup& setup) {
        std::vector<std::string> resources;
        {
            const std::scoped_lock lock{mutex};
            ++setups;
            resources = subscribed;
        }
        for (const std::string& resource : resources) setup.send(request("subscribe", resource, {}));
    }
    /// Adds the client's own to those that a caller gave.
    WebSocketHandlers complete(WebSocketHandlers handlers, std::function<void(const SewioMessage&)> on_message) {
        handlers.on_part = nullptr;
        handlers.on_message = nullptr;
        handlers.on_setup = [this](WebSocketSetup& setup) { set_up(setup); };
        if (on_message) {
            handlers.on_message = [label = options.websocket.label, errlog = handlers.errlog, on_message = std::move(on_message)](
                                      WebSocketKind, std::string_view data) {
                const Result<SewioMessage> message = websocket::read_sewio_message(data, label);
                if (message)
                    on_message(*message);
                else if (errlog)
                    errlog(message.error().what());
            };
        }
        return handlers;
    }
};

SewioWebSocketClient::SewioWebSocketClient(SewioWebSocketOptions options, Runtime runtime) {
    if (options.api_key.empty()) {
        throw websocket::make_websocket_error(WebSocketErrc::api_key, "the API of Sewio needs a key: set the option apikey", Phase::none,
                                              Reason::missing, options.websocket.label);
    }
    impl_ = std::make_shared<Impl>(std::move(options));
    WebSocketOptions below = impl_->options.websocket;
    below.handlers = impl_->complete(std::move(below.handlers), impl_->options.on_message);
    impl_->client = std::make_unique<WebSocketClient>(std::move(below), std::move(runtime));
}

// What blocks meanwhile ends, and has until then what it works with.
SewioWebSocketClient::~SewioWebSocketClient() { impl_->client->conversation_->shut_down(); }

std::string_view SewioWebSocketClient::label() const noexcept { return impl_->options.websocket.label; }
WebSocketClient& SewioWebSocketClient::websocket() noexcept { return *impl_->client; }

void SewioWebSocketClient::set_handlers(WebSocketHandlers handlers, std::function<void(const SewioMessage&)> on_message) {
    impl_->client->set_handlers(impl_->complete(std::move(handlers), std::move(on_message)));
}

void SewioWebSocketClient::send(std::string_view method, std::string_view resource, const Value& body, Deadline deadline) {
    observed([&] {
        const auto impl = impl_;
        impl->client->send(impl->request(method, resource, body), deadline);
    });
}

void SewioWebSocketClient::subscribe(std::string_view resource, Deadline deadline) {
    observed([&] {
        const auto impl = impl_;
        std::uint64_t before = 0;
        {
            const std::scoped_lock lock{impl->mutex};
            auto& all = impl->subscribed;
            if (std::find(all.begin(), all.end(), resource) == all.end()) all.emplace_back(resource);
            before = impl->setups;
        }
        impl->client->connect(deadline);
        {
            const std::scoped_lock lock{impl->mutex};
            if (impl->setups != before) return;  // the set-up has done it
        }
        impl->client->send(impl->request("subscribe", resource, {}), deadline);
    });
}

void SewioWebSocketClient::unsubscribe(std::string_view resource, Deadline deadline) {
    observed([&] {
        const auto impl = impl_;
        {
            const std::scoped_lock lock{impl->mutex};
            std::erase(impl->subscribed, resource);
        }
        if (impl->client->is_open()) impl->client->send(impl->request("unsubscribe", resource, {}), deadline);
    });
}

SewioMessage SewioWebSocketClient::receive(Deadline deadline) {
    return observed([&] {
        const auto impl = impl_;
        const WebSocketMessage message = impl->client->receive(deadline);
        return websocket::read_sewio_message(message.data, impl->options.websocket.label).value();
    });
}

Operation SewioWebSocketClient::async_receive(Deadline deadline, Callback<SewioMessage> callback) {
    return impl_->client->async_receive(
        deadline, [label = std::string{label()}, callback = under_way(std::move(callback))](Result<WebSocketMessage> message) mutable {
            if (message)
                callback(websocket::read_sewio_message(message->data, label));
            else
                callback(message.error());
        });
}

}  // namespace qconn
