// SPDX-License-Identifier: Apache-2.0
/// The client of the module `bell` as programs see it: functions without bodies only, so that they need not link the module.
#pragma once

#include <qconn/base/client.hpp>

namespace bell {

class BellClient : public qconn::Client {
public:
    /// @throws qconn::Error BELL-ERROR where the bell is broken
    virtual int ring(int times) = 0;
};

}  // namespace bell
