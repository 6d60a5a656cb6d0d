// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <qconn/base/error.hpp>

namespace qconn::test {

/// What the call throws; NO-ERROR where it throws none.
template <class Call>
Error error_of(Call&& call) {
    try {
        std::forward<Call>(call)();
    } catch (const Error& error) { return error; }
    return Error{Errc::system, "NO-ERROR", "nothing was thrown"};
}

}  // namespace qconn::test
