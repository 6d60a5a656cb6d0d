// SPDX-License-Identifier: Apache-2.0
/// A token for a log-in, within a call.
#pragma once

#include <qconn/auth/oauth2.hpp>
#include <qconn/base/deadline.hpp>

#include "net/call.hpp"
#include "net/task.hpp"

namespace qconn::mail {

/// @param source   lives as long as the call
/// @param refused  null: any that is good; else one that the server did not take
/// @returns null: there is no other than the one that was refused @throws Error of the token server, in phase auth; what ends the call
net::Task<TokenPtr> token_of(net::Call& call, TokenSource& source, TokenPtr refused, Deadline by);

}  // namespace qconn::mail
