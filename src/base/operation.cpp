// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/operation.hpp>

namespace qconn {

Operation::State::~State() = default;

}  // namespace qconn
