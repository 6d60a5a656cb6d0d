// SPDX-License-Identifier: Apache-2.0
/// What all typed clients have in common.
#pragma once

#include <string_view>

#include <qconn/base/export.hpp>

namespace qconn {

/// Base of every client, so that a registry can hold any of them. A client is usable on its own.
class QCONN_API Client {
public:
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    /// Ends what runs on it: those operations complete as cancelled, their callbacks still come.
    virtual ~Client();

    /// The name for messages: of the connection, or what its options say.
    virtual std::string_view label() const noexcept = 0;
};

}  // namespace qconn
