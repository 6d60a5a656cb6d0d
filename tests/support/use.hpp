// SPDX-License-Identifier: Apache-2.0
/// One call of any client.
#pragma once

#include <functional>
#include <string>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>

namespace qconn::test {

/// A call in the forms that the client has. It gives what was answered, as text; failures are Errors.
struct Use {
    std::function<std::string(Client&, Deadline)> blocking{};
    /// Empty: there is no such form.
    std::function<Operation(Client&, Deadline, Callback<std::string>)> asynchronous{};
};

}  // namespace qconn::test
