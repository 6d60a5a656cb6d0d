// SPDX-License-Identifier: Apache-2.0
/// The frames of eFTL's protocols 0 and 1, without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/eftl/eftl_message.hpp>
#include <qconn/eftl/eftl_options.hpp>

#include "eftl/message_json.hpp"

namespace qconn::eftl {

enum class Op : int {
    heartbeat = 0,
    login = 1,
    welcome = 2,
    subscribe = 3,
    subscribed = 4,
    unsubscribe = 5,
    unsubscribed = 6,
    event = 7,
    publish = 8,
    ack = 9,
    error = 10,
    disconnect = 11,
    goodbye = 12,
    request = 13,
    request_reply = 14,
    reply = 15,
    map_destroy = 18,
    map_set = 20,
    map_get = 22,
    map_remove = 24,
    map_response = 26,
    stop = 28,
    start = 30,
    started = 31,
};

/// What a server sends. Members that were not there are empty.
struct ServerFrame {
    int op{-1};
    std::string id{};
    std::string to{};
    std::optional<std::int64_t> seq{};
    std::int64_t store_message_id{0};
    std::int64_t delivery_count{0};
    std::string reply_to{};
    std::int64_t request_id{0};
    std::optional<int> err{};
    std::string reason{};
    /// `body`, or `value`.
    std::optional<EftlMessage> body{};

    // Of a welcome:
    std::string client_id{};
    std::string id_token{};
    double timeout{0};
    double heartbeat{0};
    std::int64_t max_size{0};
    std::int64_t protocol{0};
    bool quality_of_service{false};
    bool resume{false};
    bool stop_supported{false};
};

/// Takes what came as one WebSocket message apart: an object is one frame, an array one event for each element.
class FrameReader {
public:
    explicit FrameReader(std::string_view text);
    /// False at the end, or where error() is set.
    bool next(ServerFrame& frame);
    /// EFTL-PROTOCOL-ERROR.
    const std::optional<Error>& error() const noexcept { return error_; }

private:
    void read(ServerFrame& frame);
    bool stop();

    MessageScanner scanner_;
    std::optional<Error> error_;
    bool array_{false};
    bool first_{true};
    bool over_{false};
};

// ---- what a client sends ----

struct Login {
    std::string_view client_version{};
    std::string_view user{};
    std::string_view password{};
    std::string_view client_id{};
    std::string_view id_token{};
    std::int64_t max_pending_acks{0};
    bool resume{false};
};
std::string login_frame(const Login& login);

/// @throws Error EFTL-MATCHER-ERROR: last-value without what that needs
std::string subscribe_frame(std::string_view id, const EftlSubscription& subscription, bool stopped);
/// @param keep  the durable stays
std::string unsubscribe_frame(std::string_view id, bool keep);
/// @param id  of the subscription: all up to that one. Empty: that one alone
std::string ack_frame(std::int64_t seq, std::string_view id);
std::string stop_frame(std::string_view id, std::int64_t last_seq);
std::string start_frame(std::string_view id);
std::string disconnect_frame(std::string_view reason);
std::string map_destroy_frame(std::string_view map);

/// Frames that the server answers, but for their number and their end; see finish().
std::string publish_frame(const EftlMessage& message);
std::string request_frame(const EftlMessage& message);
std::string reply_frame(const EftlMessage& request, const EftlMessage& reply);
std::string map_set_frame(std::string_view map, std::string_view key, const EftlMessage& value);
std::string map_get_frame(std::string_view map, std::string_view key);
std::string map_remove_frame(std::string_view map, std::string_view key);

/// Appends number and end. @returns where they begin
std::size_t finish(std::string& frame, std::int64_t seq);
/// Puts the end in the place of both: for a server that does not confirm.
void strip(std::string& frame, std::size_t begin);

}  // namespace qconn::eftl
