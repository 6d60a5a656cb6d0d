// SPDX-License-Identifier: Apache-2.0
#include "monitor/credentials.hpp"

#include <algorithm>
#include <utility>

#include "monitor/utc.hpp"

namespace qconn::monitor {

namespace {

/// Tokens are told by each ping that was made, and one that failed may not have been; a client certificate is part of a handshake, a host key of a
/// log-in, and not every ping has one.
bool could_see(const PingResult& result, Credential::Kind kind) {
    if (kind == Credential::Kind::token && result.ok) return true;
    if (kind == Credential::Kind::client_certificate && result.tls) return true;
    return std::any_of(result.credentials.begin(), result.credentials.end(), [kind](const Credential& one) { return one.kind == kind; });
}

Credential::Time end_of(const Credential& one) { return one.expires.value_or(Credential::Time::max()); }

}  // namespace

Credentials known_after(const PingResult& result, const Credentials& known) {
    if (result.credentials.empty() && !known) return known;
    std::vector<Credential> all = result.credentials;
    if (known) {
        for (const Credential& one : *known)
            if (!could_see(result, one.kind)) all.push_back(one);
        if (all == *known) return known;
    }
    return all.empty() ? nullptr : std::make_shared<const std::vector<Credential>>(std::move(all));
}

const Credential* ending(const std::vector<Credential>& all, std::chrono::days warning, Credential::Time now) {
    const auto ends = [&](const Credential& one) {
        if (!one.expires || *one.expires - now >= warning) return false;
        const bool is_short = one.kind == Credential::Kind::token && one.valid_from;
        return !is_short || *one.expires - now < (*one.expires - *one.valid_from) / 5;
    };
    const Credential* first = nullptr;
    for (const Credential& one : all)
        if (ends(one) && (first == nullptr || *one.expires < *first->expires)) first = &one;
    return first;
}

const Credential* host_key(const Credentials& all) {
    if (!all) return nullptr;
    const auto found = std::find_if(all->begin(), all->end(), [](const Credential& one) { return one.kind == Credential::Kind::host_key; });
    return found == all->end() ? nullptr : &*found;
}

std::string ends_text(const std::string& name, const Credential& one, Credential::Time now) {
    const bool is_token = one.kind == Credential::Kind::token;
    std::string text = "the " + (is_token ? one.subject : std::string{to_string(one.kind)}) + " of \"" + name + "\" (";
    if (!is_token) text += one.subject + ", ";
    text += one.issuer.empty() ? "issuer unknown) " : "issued by " + one.issuer + ") ";
    const bool is_over = *one.expires <= now;
    text += (is_over ? "expired on " : "expires on ") + utc(*one.expires) + ": ";
    if (!is_token) return text + (is_over ? "put a new one into its definition" : "put a new one into its definition before");
    return text + "no new one comes without a person; log in anew" + (is_over ? "" : " before") + " (qconn auth), or set another token";
}

std::string key_changed_text(const std::string& name, const Credential& before, const Credential& key) {
    return '"' + name + "\" shows another host key: " + key.subject + ' ' + key.fingerprint + " instead of " + before.subject + ' ' +
           before.fingerprint + "; it was accepted, but if nobody has replaced it, find out who answers there";
}

void sort_by_end(std::vector<ConnectionCredential>& all) {
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return end_of(a.credential) < end_of(b.credential); });
}

}  // namespace qconn::monitor
