// SPDX-License-Identifier: Apache-2.0
/// What an exchange with a POP3 server is written with.
#pragma once

#include "net/call.hpp"
#include "net/run_task.hpp"

namespace qconn::mail::pop3 {

using net::Baton;
using net::Call;
using net::Job;
using net::StreamWait;
using net::Task;
using net::Wait;

/// Of what has no result.
struct Done {};

}  // namespace qconn::mail::pop3
