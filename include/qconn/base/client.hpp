// SPDX-License-Identifier: Apache-2.0
/// What all typed clients have in common.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>

namespace qconn {

struct ClientCalls;

/// How an operation that was answered went over the network; zeros: not measured. A value type.
struct Transfer {
    std::chrono::nanoseconds wait{0};  ///< from the end of the request to the first byte of the answer
    std::uint64_t bytes{0};            ///< of the answer, as received
    std::chrono::nanoseconds time{0};  ///< in which they came
};

/// Base of every client, so that a registry can hold any of them. A client is usable on its own.
class QCONN_API Client {
public:
    Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    /// Ends what runs on it: those operations complete as cancelled, their callbacks still come.
    virtual ~Client();

    /// The name for messages: of the connection, or what its options say.
    virtual std::string_view label() const noexcept = 0;

    /// For owners like the registry, which let go of a client only when its calls have ended.
    /// @param idle  called once no asynchronous operation is under way, from whichever thread ends the last one; must not block or throw
    /// @returns false where none is under way: `idle` is not called then
    /// @note Once in the life of a client, by an owner from whom nobody can get the client any more.
    bool when_idle(UniqueFunction<void()> idle);

    /// What an operation says about the way to the remote end: null, it answered, be it with an error; else why it could not be reached, did not
    /// answer, or broke off. Nothing is told of those that say neither: cancelled, refused for their arguments, for want of descriptors or memory.
    using UseObserver = std::function<void(const Error* failure, const Transfer& transfer)>;
    /// Also told of operations that end after the client. Called where the operation ends, an I/O thread or its caller's; must not block or throw.
    /// For owners like the registry. The first observer of a client stays; others are ignored.
    void observe_uses(UseObserver observer);

protected:
    /// Marks an operation as under way, as long as it lives. Move-only; may outlive the client.
    class QCONN_API Hold {
    public:
        Hold() noexcept = default;
        Hold(Hold&&) noexcept = default;
        Hold& operator=(Hold&&) = delete;
        ~Hold();

    private:
        friend class Client;
        explicit Hold(std::shared_ptr<ClientCalls> calls) noexcept : calls_{std::move(calls)} {}
        void used(const Error* failure, const Transfer& transfer = {}) const noexcept;
        std::shared_ptr<ClientCalls> calls_;
    };
    Hold hold() const noexcept;
    /// For the callback of every asynchronous operation: this one is to be called in its place. Until it has returned the operation is under way, so
    /// that a registry which replaces the client meanwhile keeps it. Who observes uses is told.
    template <class T>
    Callback<T> under_way(Callback<T> callback) const {
        return [hold = hold(), callback = std::move(callback)](Result<T> result) mutable {
            const Hold until_the_end = std::move(hold);
            Callback<T> once = std::move(callback);  // what it holds goes before the hold does
            if (!result) {
                until_the_end.used(&result.error());
            } else if constexpr (std::is_void_v<T>) {
                until_the_end.used(nullptr);
            } else {
                until_the_end.used(nullptr, transfer_of(*result));
            }
            if (once) once(std::move(result));
        };
    }

    /// For every blocking operation: makes it, and tells who observes uses. The client may go meanwhile.
    template <class Work>
    std::invoke_result_t<Work> observed(Work&& work) const {
        const Hold hold = this->hold();
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
                work();
                hold.used(nullptr);
            } else {
                auto result = work();
                hold.used(nullptr, transfer_of(result));
                return result;
            }
        } catch (const Error& error) {
            hold.used(&error);
            throw;
        }
    }

private:
    /// What a result says of it, where it says something: `Transfer transfer() const`.
    template <class T>
    static Transfer transfer_of(const T& result) noexcept {
        if constexpr (requires {
                          { result.transfer() }
                          noexcept->std::same_as<Transfer>;
                      })
            return result.transfer();
        return {};
    }

    std::shared_ptr<ClientCalls> calls_;
};

}  // namespace qconn
