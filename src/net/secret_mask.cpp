// SPDX-License-Identifier: Apache-2.0
#include "net/secret_mask.hpp"

#include <algorithm>
#include <cstddef>

#include "base/text.hpp"

namespace qconn::net {
namespace {

constexpr std::size_t k_shortest_secret = 3;
constexpr std::size_t k_most_secrets = 32;

}  // namespace

void SecretMask::add(const Secret& secret) {
    if (secret.reveal().size() < k_shortest_secret) return;
    if (std::find(secrets_.begin(), secrets_.end(), secret) != secrets_.end()) return;
    if (secrets_.size() == k_most_secrets) secrets_.erase(secrets_.begin() + 1);
    secrets_.push_back(secret);
}

std::string SecretMask::apply(std::string text) const {
    struct Next {
        std::string_view secret;
        std::size_t at;
    };
    std::vector<Next> found;
    for (const Secret& secret : secrets_) {
        const std::size_t at = text.find(secret.reveal());
        if (at != npos) found.push_back({secret.reveal(), at});
    }
    if (found.empty()) return text;
    std::string out;
    std::size_t done = 0;
    while (!found.empty()) {
        const auto next = std::min_element(
            found.begin(), found.end(), [](const Next& a, const Next& b) { return a.at != b.at ? a.at < b.at : a.secret.size() > b.secret.size(); });
        out.append(text, done, next->at - done).append(k_masked);
        done = next->at + next->secret.size();
        for (Next& one : found) {
            if (one.at < done) one.at = text.find(one.secret, done);
        }
        std::erase_if(found, [](const Next& one) { return one.at == npos; });
    }
    out.append(text, done);
    wipe(text);
    return out;
}

}  // namespace qconn::net
