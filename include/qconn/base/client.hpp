// SPDX-License-Identifier: Apache-2.0
/// What all typed clients have in common.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>

namespace qconn {

struct ClientCalls;

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
        std::shared_ptr<ClientCalls> calls_;
    };
    Hold hold() const noexcept;
    /// For the callback of every asynchronous operation: this one is to be called in its place. Until it has returned the operation is under way, so
    /// that a registry which replaces the client meanwhile keeps it.
    template <class T>
    Callback<T> under_way(Callback<T> callback) const {
        return [hold = hold(), callback = std::move(callback)](Result<T> result) mutable {
            const Hold until_the_end = std::move(hold);
            Callback<T> once = std::move(callback);  // what it holds goes before the hold does
            if (once) once(std::move(result));
        };
    }

private:
    std::shared_ptr<ClientCalls> calls_;
};

}  // namespace qconn
