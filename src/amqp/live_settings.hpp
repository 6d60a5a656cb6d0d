// SPDX-License-Identifier: Apache-2.0
/// What can be changed on a living client, by the names that options of definitions have.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_options.hpp>
#include <qconn/base/value.hpp>

namespace qconn::amqp {

/// Each is read where it is used: a change holds from its next use on. @note Thread-safe
struct LiveSettings {
    explicit LiveSettings(const AmqpOptions& options);

    /// @throws Error AMQP-OPTION-ERROR: there is none of that name, or it takes no such value
    void set(std::string_view name, const Value& value);
    Value get(std::string_view name) const;
    static std::vector<std::string> names();

    std::atomic<std::chrono::milliseconds> timeout;
    std::atomic<std::chrono::milliseconds> connect_timeout;
    std::atomic<bool> connect_on_use;
    std::atomic<bool> reconnect;
    std::atomic<std::chrono::milliseconds> reconnect_delay;
    std::atomic<std::chrono::milliseconds> reconnect_max_delay;
    std::atomic<int> reconnect_attempts;
    std::atomic<bool> resend;
    std::atomic<std::size_t> max_unsettled_bytes;
    std::atomic<bool> generate_message_id;
};

}  // namespace qconn::amqp
