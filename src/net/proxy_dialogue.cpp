// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_dialogue.hpp"

#include <qconn/net/net_error.hpp>

#include "base/text.hpp"
#include "net/proxy_connect.hpp"
#include "net/socks4.hpp"
#include "net/socks5.hpp"

namespace qconn::net {

Error ProxyDialogue::error(ProxyRefusal refusal, const std::string& heard) const {
    const RefusalMeaning& meaning = meaning_of(refusal);
    std::string message =
        "opening a tunnel to \"" + text::printable(target_) + "\" through the proxy " + authority(proxy_.host, proxy_.port) + " failed: " + heard;
    if (!heard.empty()) message += "; ";
    message += meaning.words;
    return Error{make_error_code(NetErrc::proxy), error_name(NetErrc::proxy), std::move(message)}
        .with_phase(Phase::proxy)
        .with_reason(meaning.reason)
        .with_retryable(meaning.retryable)
        .with_spoils_connection(true);
}

std::unique_ptr<ProxyDialogue> make_proxy_dialogue(const Proxy& proxy, const ProxyTarget& target) {
    switch (proxy.kind) {
        case Proxy::Kind::http:
        case Proxy::Kind::https: break;
        case Proxy::Kind::socks4:
        case Proxy::Kind::socks4a: return std::make_unique<Socks4>(proxy, target);
        case Proxy::Kind::socks5:
        case Proxy::Kind::socks5h: return std::make_unique<Socks5>(proxy, target);
    }
    return std::make_unique<ProxyConnect>(proxy, target.host, target.port);
}

}  // namespace qconn::net
