// SPDX-License-Identifier: Apache-2.0
/// Connections without a server: a scheme whose pings and calls give what a script says.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/testing/script.hpp>

namespace qconn::testing {

/// Client of a `scripted://` connection: `registry.get<ScriptedClient>("shop")`. Each call meets the next answer of its end's script.
/// @note Thread-safe; calls run beside each other.
class QCONN_API ScriptedClient : public Client {
public:
    ScriptedClient(std::string label, RemoteEnd end, Runtime runtime = {});
    ~ScriptedClient() override;

    std::string_view label() const noexcept override { return label_; }
    /// @returns the value of the answer @throws Error what the script says, TIMEOUT
    Value call(Deadline deadline = {});
    /// It waits in a thread of the runtime's blocking pool, which also calls back.
    Operation async_call(Deadline deadline, Callback<Value> callback);

private:
    class Call;
    const std::string label_;
    const RemoteEnd end_;
    const Runtime runtime_;
    std::mutex mutex_;
    std::vector<std::weak_ptr<Call>> running_;  // guarded by mutex_
};

/// Remote ends by the name of their connection, and the scheme that leads to them.
/// @note Thread-safe. A handle; copies share the ends.
class QCONN_API Scripted {
public:
    Scripted();

    /// The end of the connection of that name; it is there from the first time that anybody asks.
    RemoteEnd operator[](std::string_view connection) const;

    /// The scheme `scripted`, for a catalogue: `catalogue.add(ends.scheme())`. Its clients are ScriptedClients.
    Scheme scheme() const;
    /// Another scheme whose pings are scripted and whose options, checks and clients stay what they are, so that definitions of production are
    /// watched without a network: `catalogue.add(ends.instead_of(*builtin_catalogue().find("rest")))`.
    Scheme instead_of(const Scheme& other) const;
    /// A catalogue with `scripted` beside the built-in schemes.
    Catalogue catalogue() const;
    /// A catalogue in which all built-in schemes are scripted.
    Catalogue catalogue_instead() const;

    /// A connection of that name, `scripted://NAME`.
    static Definition definition(std::string_view name);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace qconn::testing
