// SPDX-License-Identifier: Apache-2.0
/// Talks to the machines that open tunnels as a proxy would, without sockets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "net/proxy_dialogue.hpp"

namespace qconn::test {

/// What came of a conversation.
struct ProxyTalk {
    Dialogue::Step step;
    /// All that was sent.
    std::string sent;
    /// What was left for the tunnel.
    std::string rest;
};

/// Begins it and gives it `answer` in pieces of `size` bytes; where that was not enough, the end of the stream.
inline ProxyTalk talk(Dialogue& dialogue, std::string_view answer, std::size_t size = 1) {
    ProxyTalk talk;
    talk.step = dialogue.begin(talk.sent);
    std::string input;
    for (std::size_t at = 0; at < answer.size() && talk.step.want == Dialogue::Want::read; at += size) {
        input += answer.substr(at, size);
        talk.step = dialogue.feed(input, false, talk.sent);
        input.erase(0, talk.step.used);
        if (talk.step.want != Dialogue::Want::read) talk.rest = input + std::string{answer.substr(std::min(at + size, answer.size()))};
    }
    if (talk.step.want == Dialogue::Want::read) talk.step = dialogue.feed(input, true, talk.sent);
    return talk;
}

}  // namespace qconn::test
