// SPDX-License-Identifier: Apache-2.0
/// What came and was not received yet, and who waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <qconn/websocket/websocket_options.hpp>

#include "websocket/call.hpp"

namespace qconn::websocket {

/// A piece of a message.
struct Part {
    WebSocketKind kind{WebSocketKind::text};
    std::string data{};
    bool last{false};
};

/// Parts in their order, counted. @note Thread-safe
class Inbox {
public:
    /// @returns bytes that it holds now
    std::size_t put(Part part) {
        const std::scoped_lock lock{mutex_};
        if (skips_) {
            skips_ = !part.last;
            return bytes_;
        }
        bytes_ += part.data.size() + k_each;
        whole_ += part.last ? 1 : 0;
        parts_.push_back(std::move(part));
        return bytes_;
    }
    /// Back to where it was taken from.
    void put_back(Part part) {
        const std::scoped_lock lock{mutex_};
        bytes_ += part.data.size() + k_each;
        whole_ += part.last ? 1 : 0;
        parts_.push_front(std::move(part));
    }
    std::optional<Part> take() {
        const std::scoped_lock lock{mutex_};
        return take_one();
    }
    /// The next message, if all of it is there and is not larger than that.
    std::optional<WebSocketMessage> take_message(std::size_t largest) {
        const std::scoped_lock lock{mutex_};
        if (whole_ == 0) return std::nullopt;
        std::size_t size = 0;
        for (const Part& part : parts_) {
            size += part.data.size();
            if (part.last) break;
        }
        if (size > largest) return std::nullopt;
        Part part = *take_one();
        WebSocketMessage message{part.kind, std::move(part.data)};
        while (!part.last) {
            part = *take_one();
            message.data += part.data;
        }
        return message;
    }
    /// What is left of a message whose beginning was taken is dropped, also what still comes of it.
    void skip_rest() {
        const std::scoped_lock lock{mutex_};
        skips_ = true;
        while (skips_ && !parts_.empty()) skips_ = !take_one()->last;
    }
    /// What has no end and will get none.
    void drop_unfinished() {
        const std::scoped_lock lock{mutex_};
        skips_ = false;
        while (!parts_.empty() && !parts_.back().last) {
            bytes_ -= parts_.back().data.size() + k_each;
            parts_.pop_back();
        }
    }
    std::size_t bytes() const {
        const std::scoped_lock lock{mutex_};
        return bytes_;
    }
    bool empty() const {
        const std::scoped_lock lock{mutex_};
        return parts_.empty();
    }

private:
    static constexpr std::size_t k_each = 64;  // what one costs besides: empty messages count too

    std::optional<Part> take_one() {
        if (parts_.empty()) return std::nullopt;
        Part part = std::move(parts_.front());
        parts_.pop_front();
        bytes_ -= part.data.size() + k_each;
        whole_ -= part.last ? 1 : 0;
        return part;
    }

    mutable std::mutex mutex_;
    std::deque<Part> parts_;
    std::size_t bytes_{0};
    std::size_t whole_{0};
    bool skips_{false};
};

/// Who takes a message, part by part. @note Loop's thread
class Receiver {
public:
    enum class Took : std::uint8_t {
        more,  ///< go on
        full,  ///< it did not take the part: later
        done,  ///< that was the last one: finish() follows
        cut,   ///< it has failed, and its call has ended; the rest of the message is nobody's
    };
    virtual ~Receiver() = default;
    virtual Took take(Part& part) = 0;
    virtual void finish() = 0;
    virtual Call& call() noexcept = 0;
    /// Its message will not come to an end, or it ends before it does.
    /// @returns whether it can take another one; where not, some of the message is with the caller already
    virtual bool lose_message() = 0;
    /// It ends before its message does: what it holds of that, where it can be given to another. Nothing: see has_begun().
    virtual std::optional<Part> give_back() = 0;
    virtual bool has_begun() const noexcept = 0;
};

}  // namespace qconn::websocket
