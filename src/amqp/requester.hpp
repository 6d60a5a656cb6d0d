// SPDX-License-Identifier: Apache-2.0
/// Requests whose replies come by a node that the peer makes for this client.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>

#include <qconn/amqp/amqp_message.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

#include "amqp/links.hpp"

namespace qconn::amqp {

/// Of one client. Its links are opened by the first request that needs them, and stay.
/// @note request() is thread-safe, all else is the loop's.
class Requester : public std::enable_shared_from_this<Requester> {
public:
    explicit Requester(std::weak_ptr<Connection> owner) : owner_{std::move(owner)} {}

    Operation request(std::shared_ptr<Connection> owner, std::string address, AmqpMessage message, Deadline deadline, Callback<AmqpMessage> callback);

private:
    /// One that has no reply yet.
    struct Call {
        std::shared_ptr<Wait<AmqpMessage>> wait;
        std::string address;
        AmqpMessage message;
        std::string key;  // of its message-id
    };

    void begin(const std::shared_ptr<Connection>& owner, const std::shared_ptr<Call>& call);
    void open_replies(const std::shared_ptr<Connection>& owner);
    void send_waiting(const std::shared_ptr<Connection>& owner);
    void send(const std::shared_ptr<Connection>& owner, const std::shared_ptr<Call>& call);
    void on_reply(AmqpDelivery& delivery);
    void fail(const std::shared_ptr<Call>& call, const Error& why);
    void fail_sent(const Error& why);

    const std::weak_ptr<Connection> owner_;
    std::shared_ptr<ReceiverLink> replies_;
    bool opening_{false};
    std::map<std::string, std::shared_ptr<SenderLink>, std::less<>> senders_;
    std::list<std::shared_ptr<Call>> waiting_;              // for the node that replies come by
    std::map<std::string, std::shared_ptr<Call>> pending_;  // by key
};

}  // namespace qconn::amqp
