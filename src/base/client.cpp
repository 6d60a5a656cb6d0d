// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/client.hpp>

namespace qconn {

Client::~Client() = default;

}  // namespace qconn
