// SPDX-License-Identifier: Apache-2.0
/// What is thrown where a test expected something else.
#pragma once

#include <stdexcept>

#include <qconn/base/export.hpp>

namespace qconn::testing {

/// What was expected did not come. what() says what came instead.
class QCONN_API Unexpected : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    ~Unexpected() override;
};

}  // namespace qconn::testing
