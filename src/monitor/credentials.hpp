// SPDX-License-Identifier: Apache-2.0
/// What pings see of client certificates, tokens and host keys. Pure: the time is an argument.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <qconn/monitor/certificate.hpp>
#include <qconn/net/ping.hpp>

namespace qconn::monitor {

/// Null: none.
using Credentials = std::shared_ptr<const std::vector<Credential>>;

/// What is known after that ping: what it could see takes the place of what was known of the same kind. `known` itself where nothing has changed.
Credentials known_after(const PingResult& result, const Credentials& known);

/// The first that is about to end; null: none. Tokens may live for an hour only, so the last fifth of their life has to have begun as well.
const Credential* ending(const std::vector<Credential>& all, std::chrono::days warning, Credential::Time now);

/// The host key among them; null: none.
const Credential* host_key(const Credentials& all);

/// `the client certificate of "shop" (CN=us, issued by CN=CA) expires on …; …`
std::string ends_text(const std::string& name, const Credential& one, Credential::Time now);
std::string key_changed_text(const std::string& name, const Credential& before, const Credential& key);

/// What ends first comes first, what has no end last.
void sort_by_end(std::vector<ConnectionCredential>& all);

}  // namespace qconn::monitor
