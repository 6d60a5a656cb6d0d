// SPDX-License-Identifier: Apache-2.0
/// What an exchange with a server is written with.
#pragma once

#include "net/call.hpp"
#include "net/dialogue_log.hpp"
#include "net/reply.hpp"
#include "net/run_task.hpp"

namespace qconn::ftp {

using net::Baton;
using net::Call;
using net::Detached;
using net::in_job;
using net::Job;
using net::ReplyParser;
using net::run_task;
using net::SessionLog;
using net::shown;
using net::StreamWait;
using net::Task;
using net::Turn;
using net::Wait;

}  // namespace qconn::ftp
