// SPDX-License-Identifier: Apache-2.0
/// Records what a monitor tells.
#pragma once

#include <qconn/testing/event_recorder.hpp>

#include "support/wait.hpp"

namespace qconn::test {

using EventLog = testing::EventRecorder;

}  // namespace qconn::test
