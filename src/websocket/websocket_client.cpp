// SPDX-License-Identifier: Apache-2.0
#include <qconn/websocket/websocket_client.hpp>

#include <utility>

#include "base/json.hpp"
#include "base/outcome_box.hpp"
#include "base/yaml.hpp"
#include "net/runtime_impl.hpp"
#include "websocket/conversation.hpp"

namespace qconn {

namespace {

using websocket::Conversation;

void refuse_websocket_on_loop(const Conversation& conversation) {
    if (!conversation.runtime().on_io_thread()) return;
    throw make_error(
        Errc::invalid_argument,
        "a blocking WebSocket call was made on an I/O thread of its runtime, where it would hold up everything else; use the asynchronous form, or "
        "post_blocking")
        .with_connection(conversation.options().label);
}

/// Starts something and waits for its end.
template <class T, class Start>
T wait_for(Conversation& conversation, Start start) {
    refuse_websocket_on_loop(conversation);
    const auto box = std::make_shared<OutcomeBox<T>>();
    start([box](Result<T> result) { box->put(std::move(result)); });
    return box->take();
}

}  // namespace

WebSocketClient::WebSocketClient(WebSocketOptions options, Runtime runtime) : conversation_{Conversation::make(std::move(options), runtime)} {}

WebSocketClient::~WebSocketClient() { conversation_->shut_down(); }

std::string_view WebSocketClient::label() const noexcept { return conversation_->options().label; }
const WebSocketOptions& WebSocketClient::options() const noexcept { return conversation_->options(); }
void WebSocketClient::set_handlers(WebSocketHandlers handlers) { conversation_->set_handlers(std::move(handlers)); }
bool WebSocketClient::is_open() const noexcept { return conversation_->is_open(); }
std::size_t WebSocketClient::queued() const noexcept { return conversation_->queued(); }

WebSocketInfo WebSocketClient::connect(Deadline deadline) {
    return observed([&] {
        const auto conversation = conversation_;
        return wait_for<WebSocketInfo>(*conversation, [&](auto done) { conversation->connect(deadline, std::move(done)); });
    });
}
Operation WebSocketClient::async_connect(Deadline deadline, Callback<WebSocketInfo> callback) {
    return conversation_->connect(deadline, under_way(std::move(callback)));
}

void WebSocketClient::send(std::string_view text, Deadline deadline) { send(WebSocketKind::text, text, deadline); }
void WebSocketClient::send(WebSocketKind kind, std::string_view data, Deadline deadline) {
    observed([&] {
        const auto conversation = conversation_;
        refuse_websocket_on_loop(*conversation);
        if (conversation->try_send(kind, data)) return;
        wait_for<void>(*conversation, [&](auto done) {
            conversation->send(kind, std::string{data}, Conversation::Until::queued, deadline, std::move(done));
        });
    });
}
Operation WebSocketClient::async_send(WebSocketKind kind, std::string data, Deadline deadline, Callback<void> callback) {
    return conversation_->send(kind, std::move(data), Conversation::Until::written, deadline, under_way(std::move(callback)));
}
bool WebSocketClient::try_send(WebSocketKind kind, std::string_view data) { return conversation_->try_send(kind, data); }

std::uint64_t WebSocketClient::send_from(WebSocketKind kind, ByteSource& source, Deadline deadline) {
    return observed([&] {
        const auto conversation = conversation_;
        refuse_websocket_on_loop(*conversation);
        return conversation->send_from_here(kind, source, deadline);
    });
}
Operation WebSocketClient::async_send_from(WebSocketKind kind, std::shared_ptr<ByteSource> source, Deadline deadline,
                                           Callback<std::uint64_t> callback) {
    return conversation_->send_from(kind, std::move(source), deadline, under_way(std::move(callback)));
}

void WebSocketClient::flush(Deadline deadline, std::size_t at_most) {
    observed([&] {
        const auto conversation = conversation_;
        wait_for<void>(*conversation, [&](auto done) { conversation->flush(deadline, at_most, std::move(done)); });
    });
}
Operation WebSocketClient::async_flush(Deadline deadline, std::size_t at_most, Callback<void> callback) {
    return conversation_->flush(deadline, at_most, under_way(std::move(callback)));
}

WebSocketMessage WebSocketClient::receive(Deadline deadline) {
    return observed([&] {
        const auto conversation = conversation_;
        refuse_websocket_on_loop(*conversation);
        if (auto message = conversation->take()) return std::move(*message);
        return wait_for<WebSocketMessage>(*conversation, [&](auto done) { conversation->receive(deadline, std::move(done)); });
    });
}
Operation WebSocketClient::async_receive(Deadline deadline, Callback<WebSocketMessage> callback) {
    return conversation_->receive(deadline, under_way(std::move(callback)));
}
WebSocketReceived WebSocketClient::receive_to(ByteSink& sink, Deadline deadline) {
    return observed([&] {
        const auto conversation = conversation_;
        refuse_websocket_on_loop(*conversation);
        return conversation->receive_here(sink, deadline);
    });
}
Operation WebSocketClient::async_receive_to(std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<WebSocketReceived> callback) {
    return conversation_->receive_to(std::move(sink), deadline, under_way(std::move(callback)));
}

void WebSocketClient::send_value(const Value& value, Deadline deadline) {
    switch (options().data) {
        case WebSocketData::json: return send(WebSocketKind::text, json::encode(value), deadline);
        case WebSocketData::yaml: return send(WebSocketKind::text, yaml::encode(value), deadline);
        case WebSocketData::none: break;
    }
    if (value.is_binary()) return send(WebSocketKind::binary, value.as_bytes(), deadline);
    if (value.is_string()) return send(WebSocketKind::text, value.as_string(), deadline);
    throw make_error(Errc::serialize, "only texts and bytes can be sent as they are; set the option data for other values").with_connection(label());
}
Value WebSocketClient::receive_value(Deadline deadline) {
    WebSocketMessage message = receive(deadline);
    switch (options().data) {
        case WebSocketData::json: return json::decode(message.data).value();
        case WebSocketData::yaml: return yaml::decode(message.data).value();
        case WebSocketData::none: break;
    }
    if (message.kind == WebSocketKind::text) return Value{std::move(message.data)};
    return Value::binary(std::move(message.data));
}

std::chrono::nanoseconds WebSocketClient::ping(Deadline deadline) {
    return observed([&] {
        const auto conversation = conversation_;
        return wait_for<std::chrono::nanoseconds>(*conversation, [&](auto done) { conversation->ping(deadline, std::move(done)); });
    });
}
Operation WebSocketClient::async_ping(Deadline deadline, Callback<std::chrono::nanoseconds> callback) {
    return conversation_->ping(deadline, under_way(std::move(callback)));
}

WebSocketClose WebSocketClient::close(std::uint16_t code, std::string_view reason, Deadline deadline) {
    return observed([&] {
        const auto conversation = conversation_;
        return wait_for<WebSocketClose>(*conversation, [&](auto done) { conversation->close(code, std::string{reason}, deadline, std::move(done)); });
    });
}
Operation WebSocketClient::async_close(std::uint16_t code, std::string reason, Deadline deadline, Callback<WebSocketClose> callback) {
    return conversation_->close(code, std::move(reason), deadline, under_way(std::move(callback)));
}

}  // namespace qconn
