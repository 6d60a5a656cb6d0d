// SPDX-License-Identifier: Apache-2.0
/// Sessions with one server, one at a time: made when it is needed, replaced when it broke.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/ssh/ssh_options.hpp>

#include "ssh/channel.hpp"
#include "ssh/session.hpp"
#include "ssh/settings.hpp"

namespace qconn::ssh {

/// @note Thread-safe. Its channels belong to its loop's thread. They fail when it goes, or is closed.
class Sessions final : public ChannelSource, public std::enable_shared_from_this<Sessions> {
    struct Key {};

public:
    /// @throws Error SSH-OPTION-ERROR
    static std::shared_ptr<Sessions> make(SshOptions options, const Runtime& runtime);
    Sessions(Key, std::shared_ptr<const Settings> settings, std::shared_ptr<Sessions> jump, net::Loop& loop, Runtime runtime);
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;
    ~Sessions() override;

    net::Loop& loop() const noexcept override { return *loop_; }
    Operation open_subsystem(std::string name, Deadline deadline, Opened callback) override;
    std::string peer() const override { return settings_->peer; }
    const Settings& settings() const noexcept { return *settings_; }

    /// As open_subsystem(), for whatever a channel is for.
    Operation open(Purpose purpose, Deadline deadline, Session::Opened callback);
    /// Connects and logs in where that has not been done.
    Operation connect(Deadline deadline, Callback<SshSessionInfo> callback);
    /// Ends everything, as cancelled; what comes later too.
    void close() noexcept;

private:
    class Request;

    static std::shared_ptr<Sessions> make(SshOptions options, const Runtime& runtime, net::Loop& loop);
    Operation start(std::shared_ptr<Request> request, Deadline deadline);
    // On the loop:
    void begin(const std::shared_ptr<Request>& request);
    void go_on(const std::shared_ptr<Request>& request);
    void on_ready(const std::shared_ptr<Session>& session, std::optional<Error> error);
    /// Cancelled, or its time is over.
    void give_up(const std::shared_ptr<Request>& request, bool cancelled);
    void forget(const std::shared_ptr<Request>& request);

    const std::shared_ptr<const Settings> settings_;
    const std::shared_ptr<Sessions> jump_;
    const std::shared_ptr<net::Loop> loop_;
    const Runtime runtime_;
    // The loop's:
    bool closed_{false};
    std::shared_ptr<Session> session_;
    std::vector<std::shared_ptr<Request>> requests_;  // all that are not done
};

}  // namespace qconn::ssh
