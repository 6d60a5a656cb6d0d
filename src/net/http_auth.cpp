// SPDX-License-Identifier: Apache-2.0
#include "net/http_auth.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <new>

#include <qconn/base/secret.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace qconn::net {

namespace {

constexpr bool is_token(char c) noexcept {
    return text::is_digit(c) || text::is_alpha(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

/// Walks over the text of a field.
class Cursor {
public:
    explicit Cursor(std::string_view text) : rest_{text} {}

    bool at_end() const noexcept { return rest_.empty(); }
    char peek() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
    void skip() noexcept { rest_.remove_prefix(1); }
    template <class Wanted>
    std::string_view take_while(Wanted wanted) noexcept {
        std::size_t n = 0;
        while (n < rest_.size() && wanted(rest_[n])) ++n;
        const auto taken = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return taken;
    }
    void skip_blanks() noexcept { take_while(text::is_space); }
    std::string_view token() noexcept { return take_while(is_token); }
    std::string value() {
        if (peek() != '"') return std::string{take_while([](char c) { return c != ',' && !text::is_space(c); })};
        skip();
        std::string out;
        while (!at_end() && peek() != '"') {
            if (peek() == '\\') skip();
            if (at_end()) break;
            out += peek();
            skip();
        }
        if (!at_end()) skip();
        return out;
    }

private:
    std::string_view rest_;
};

std::optional<std::string> hash(DigestChallenge::Hash kind, std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const auto& part : parts) {
        if (&part != parts.begin()) text += ':';
        text += part;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const EVP_MD* algorithm = kind == DigestChallenge::Hash::sha256 ? EVP_sha256() : EVP_md5();
    const int done = EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr);
    wipe(text);
    if (done != 1) return std::nullopt;
    return text::to_hex({reinterpret_cast<const char*>(digest.data()), size});
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

struct Algorithm {
    std::string_view name;
    DigestChallenge::Hash hash;
    bool session;
};
// The strongest last.
constexpr std::array k_algorithms{Algorithm{"md5", DigestChallenge::Hash::md5, false}, Algorithm{"md5-sess", DigestChallenge::Hash::md5, true},
                                  Algorithm{"sha-256", DigestChallenge::Hash::sha256, false},
                                  Algorithm{"sha-256-sess", DigestChallenge::Hash::sha256, true}};

std::optional<DigestChallenge> digest_of(const AuthChallenge& given) {
    if (given.scheme != "digest") return std::nullopt;
    const std::string* const nonce = given.find("nonce");
    const std::string* const realm = given.find("realm");
    if (nonce == nullptr || realm == nullptr) return std::nullopt;
    DigestChallenge challenge;
    challenge.nonce = *nonce;
    challenge.realm = *realm;
    if (const auto* name = given.find("algorithm")) {
        const auto known = std::find_if(k_algorithms.begin(), k_algorithms.end(), [&](const auto& one) { return text::iequals(one.name, *name); });
        if (known == k_algorithms.end()) return std::nullopt;
        challenge.hash = known->hash;
        challenge.session = known->session;
        challenge.algorithm = *name;
    }
    if (const auto* qop = given.find("qop")) {
        const auto offered = text::split(*qop, ',');
        if (std::none_of(offered.begin(), offered.end(), [](auto one) { return text::iequals(text::trim(one), "auth"); })) return std::nullopt;
    } else {
        challenge.qop = false;
    }
    if (const auto* stale = given.find("stale")) challenge.stale = text::iequals(*stale, "true");
    if (const auto* opaque = given.find("opaque")) challenge.opaque = *opaque;
    return challenge;
}

}  // namespace

const std::string* AuthChallenge::find(std::string_view name) const noexcept {
    const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const auto& one) { return one.first == name; });
    return found != parameters.end() ? &found->second : nullptr;
}

std::vector<AuthChallenge> parse_challenges(std::string_view value) {
    std::vector<AuthChallenge> challenges;
    Cursor cursor{value};
    while (!cursor.at_end()) {
        const auto word = cursor.token();
        if (word.empty()) {
            cursor.skip();  // a comma, a blank, or rubbish
            continue;
        }
        cursor.skip_blanks();
        if (cursor.peek() != '=') {
            challenges.push_back({text::to_lower(word), {}});
            continue;
        }
        cursor.skip();
        cursor.skip_blanks();
        std::string parameter = cursor.value();
        // A value without a name (token68, as of Negotiate) may end in '=' too.
        const bool padding = parameter.empty() || parameter.find_first_not_of('=') == parameter.npos;
        if (!padding && !challenges.empty()) challenges.back().parameters.emplace_back(text::to_lower(word), std::move(parameter));
    }
    return challenges;
}

std::optional<DigestChallenge> best_digest(const std::vector<AuthChallenge>& challenges) {
    std::optional<DigestChallenge> best;
    for (const auto& one : challenges) {
        auto digest = digest_of(one);
        if (digest && (!best || digest->hash > best->hash)) best = std::move(digest);
    }
    return best;
}

std::optional<std::string> digest_credentials(const DigestChallenge& challenge, std::string_view username, std::string_view password,
                                              const DigestUse& use) {
    std::string count = text::to_hex(std::string{static_cast<char>(use.count >> 24U), static_cast<char>(use.count >> 16U),
                                                 static_cast<char>(use.count >> 8U), static_cast<char>(use.count)});
    auto user = hash(challenge.hash, {username, challenge.realm, password});
    if (user && challenge.session) user = hash(challenge.hash, {*user, challenge.nonce, use.client_nonce});
    const auto what = hash(challenge.hash, {use.method, use.uri});
    if (!user || !what) return std::nullopt;
    const auto response = challenge.qop ? hash(challenge.hash, {*user, challenge.nonce, count, use.client_nonce, "auth", *what})
                                        : hash(challenge.hash, {*user, challenge.nonce, *what});
    wipe(*user);
    if (!response) return std::nullopt;

    std::string out = "Digest username=" + quoted(username) + ", realm=" + quoted(challenge.realm) + ", nonce=" + quoted(challenge.nonce) +
                      ", uri=" + quoted(use.uri) + ", response=\"" + *response + '"';
    if (challenge.algorithm) out += ", algorithm=" + *challenge.algorithm;
    if (challenge.opaque) out += ", opaque=" + quoted(*challenge.opaque);
    if (challenge.qop || challenge.session) out += ", cnonce=" + quoted(use.client_nonce);
    if (challenge.qop) out += ", qop=auth, nc=" + count;
    return out;
}

std::string basic_credentials(std::string_view username, std::string_view password) {
    std::string pair{username};
    pair.append(1, ':').append(password);
    std::string encoded = "Basic " + base64::encode(pair);
    wipe(pair);
    return encoded;
}

std::string make_client_nonce() {
    std::array<unsigned char, 16> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) throw std::bad_alloc{};
    return text::to_hex({reinterpret_cast<const char*>(random.data()), random.size()});
}

}  // namespace qconn::net
