// SPDX-License-Identifier: Apache-2.0
/// What one round trip to a remote end consists of: a scheme makes it from a definition, the network layer runs it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/dialogue.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/ping.hpp>

namespace qconn {

class Redaction;

/// A ping over the network layer. Immutable while it is used; cheap to run many times.
struct NetPing {
    Endpoint endpoint;
    /// Makes what is said once the stream stands. Empty: being connected (and TLS) is the proof.
    std::function<std::unique_ptr<Dialogue>()> dialogue{};
    /// The stream may be kept and used for the next ping.
    bool keep{false};
    /// For dialogues that ask for TLS after some words in clear (Dialogue::Want::start_tls); Endpoint::tls is null then.
    std::shared_ptr<const TlsOptions> start_tls{};
};

/// What a ping that is no dialogue saw. A value type; a plain text converts to it.
struct PingEvidence {
    PingEvidence() = default;
    PingEvidence(std::string seen) : text{std::move(seen)} {}
    PingEvidence(const char* seen) : text{seen} {}
    PingEvidence(std::string seen, std::vector<PingMeasure> measured) : text{std::move(seen)}, measures{std::move(measured)} {}

    /// For people: "directory, readable, 41 % of its file system used".
    std::string text;
    /// Goes to PingResult::measures.
    std::vector<PingMeasure> measures;
    /// Goes to PingResult::credentials.
    std::vector<Credential> credentials{};
    /// Goes to PingResult::tls.
    std::optional<TlsInfo> tls{};
};

/// A ping that can only block; it runs on the blocking pool.
/// Throws Error where it fails; returns what was seen. Must heed the deadline as well as it can, and own what it uses: it may outlive its plan.
struct BlockingPing {
    std::function<PingEvidence(Deadline)> run;
};

/// A ping that is a call of an asynchronous client, and costs no thread.
/// It is begun on an I/O thread and must not block there; what it throws is the failure. The callback comes once, from any thread, with an Error
/// where the ping failed, with CANCELLED soon after the operation was cancelled. Must heed the deadline, and own what it uses: it may outlive its
/// plan.
struct CallPing {
    std::function<Operation(Deadline, Callback<PingEvidence>)> begin;
};

/// What a ping does: one of these kinds. A value type.
struct PingPlan {
    PingPlan(NetPing net) : what{std::make_shared<const NetPing>(std::move(net))} {}
    PingPlan(BlockingPing blocking) : what{std::make_shared<const BlockingPing>(std::move(blocking))} {}
    PingPlan(CallPing call) : what{std::make_shared<const CallPing>(std::move(call))} {}
    std::variant<std::shared_ptr<const NetPing>, std::shared_ptr<const BlockingPing>, std::shared_ptr<const CallPing>> what;
    /// Of the definition that it was made from (ResolvedDefinition::redaction); the registry sets it. Held as long as a run of the plan.
    std::shared_ptr<const Redaction> redaction{};
    /// What the connection has to show at this moment that ends some day (a token), whatever the ping uses of it; goes to PingResult::credentials
    /// after each ping. Called on an I/O thread: must neither block nor throw. Empty: nothing.
    std::function<std::vector<Credential>()> credentials{};
};

}  // namespace qconn
