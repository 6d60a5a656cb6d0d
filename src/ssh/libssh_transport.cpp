// SPDX-License-Identifier: Apache-2.0
// The transport over libssh. Its session object waits for nothing here: it is blocked in no call but those to the agent.
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "ssh/channel.hpp"
#include "ssh/ssh_error.hpp"
#include "ssh/transport.hpp"

namespace qconn::ssh {

namespace {

struct FreeSession {
    void operator()(ssh_session session) const noexcept { ssh_free(session); }
};
struct FreeKey {
    void operator()(ssh_key key) const noexcept { ssh_key_free(key); }
};
struct FreeEvent {
    void operator()(ssh_event event) const noexcept { ssh_event_free(event); }
};
using SessionHandle = std::unique_ptr<std::remove_pointer_t<ssh_session>, FreeSession>;
using KeyHandle = std::unique_ptr<std::remove_pointer_t<ssh_key>, FreeKey>;
using EventHandle = std::unique_ptr<std::remove_pointer_t<ssh_event>, FreeEvent>;

/// Takes a text that libssh has allocated.
std::string take_text(char* text) {
    std::string copy{text != nullptr ? text : ""};
    ssh_string_free_char(text);
    return copy;
}
std::string text_or_empty(const char* text) { return text != nullptr ? text : ""; }

class LibsshKey final : public PrivateKey {
public:
    explicit LibsshKey(KeyHandle key) : key_{std::move(key)} {}
    ssh_key get() const noexcept { return key_.get(); }

private:
    KeyHandle key_;
};

class LibsshTransport;

class LibsshChannel final : public TransportChannel {
public:
    explicit LibsshChannel(LibsshTransport& transport);
    LibsshChannel(const LibsshChannel&) = delete;
    LibsshChannel& operator=(const LibsshChannel&) = delete;
    ~LibsshChannel() override;

    Step open_session() override { return step(ssh_channel_open_session(channel_)); }
    Step open_forward(const std::string& host, std::uint16_t port) override {
        return step(ssh_channel_open_forward(channel_, host.c_str(), port, "127.0.0.1", 0));
    }
    Step request_environment(const std::string& name, const std::string& value) override {
        return step(ssh_channel_request_env(channel_, name.c_str(), value.c_str()));
    }
    Step request_command(const std::string& command) override { return step(ssh_channel_request_exec(channel_, command.c_str())); }
    Step request_subsystem(const std::string& name) override { return step(ssh_channel_request_subsystem(channel_, name.c_str())); }

    bool is_readable(bool errors) const noexcept override;
    bool is_writable() const noexcept override;
    net::IoResult::Kind read(bool errors, char* data, std::size_t size, std::size_t& used) override;
    net::IoResult::Kind write(std::string_view data, std::size_t& used) override;
    bool finish_writing() override;
    bool is_closed() const noexcept override { return closed_; }
    const ExitInfo& exit_info() const noexcept override { return exit_; }

private:
    /// What came on one of the two streams and was not fetched yet.
    struct Held {
        std::size_t waiting{0};         ///< in libssh
        std::unique_ptr<char[]> taken;  ///< out of it; memory that is only touched as far as it is used
        std::size_t from{0};
        std::size_t to{0};
        std::size_t left() const noexcept { return to - from; }
    };
    /// libssh's own window, 1.28 MB, would bound a transfer over a long way.
    static constexpr std::uint32_t k_window = k_receive_window;
    static constexpr std::size_t k_top_up = 1U << 20U;
    static constexpr std::size_t k_room = k_window + (1U << 20U);  // more than a server that keeps to the window can send

    Step step(int result);
    long fetch(bool errors, char* to, std::size_t size);

    static LibsshChannel& self(void* user) { return *static_cast<LibsshChannel*>(user); }
    static int on_data(ssh_session, ssh_channel, void*, std::uint32_t size, int errors, void* user) {
        self(user).held_[errors != 0 ? 1 : 0].waiting = size;
        return 0;  // it stays there, and with it the window, until it is fetched
    }
    static void on_eof(ssh_session, ssh_channel, void* user) { self(user).ended_ = true; }
    static void on_close(ssh_session, ssh_channel, void* user) {
        self(user).ended_ = true;
        self(user).closed_ = true;
    }
    static void on_status(ssh_session, ssh_channel, int status, void* user) { self(user).exit_.status = status; }
    static void on_signal(ssh_session, ssh_channel, const char* signal, int core, const char* message, const char*, void* user) {
        ExitInfo& exit = self(user).exit_;
        exit.signal = text_or_empty(signal);
        exit.message = text_or_empty(message);
        exit.core_dumped = core != 0;
    }

    LibsshTransport& transport_;
    ssh_channel channel_;
    ssh_channel_callbacks_struct callbacks_{};
    std::array<Held, 2> held_;
    std::size_t since_top_up_{k_top_up};
    bool ended_{false};
    bool closed_{false};
    bool finished_{false};
    ExitInfo exit_;
};

class LibsshTransport final : public Transport {
public:
    LibsshTransport(net::UniqueFd fd, const SshOptions& options, const std::string& user, const std::vector<std::string>& host_key_types)
        : session_{ssh_new()}, event_{ssh_event_new()} {
        if (!session_ || !event_) throw ssh_error(SshErrc::option, "libssh has no memory for a session", Phase::none, Reason::local);
        ssh_set_blocking(session_.get(), 0);
        ssh_set_counters(session_.get(), &counter_, nullptr);
        const int off = 0;
        const bool no = false;
        const long quiet = SSH_LOG_NOLOG;
        set(SSH_OPTIONS_PROCESS_CONFIG, &no, "");  // the definition says everything, ~/.ssh/config nothing
        set(SSH_OPTIONS_HOST, options.host.c_str(), "host");
        set(SSH_OPTIONS_USER, user.c_str(), "user");
        set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null", "");  // read by us
        set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", "");
        set(SSH_OPTIONS_STRICTHOSTKEYCHECK, &off, "");
        set(SSH_OPTIONS_LOG_VERBOSITY, &quiet, "");
        const SshAlgorithms& own = ssh_default_algorithms();
        const SshAlgorithms& given = options.algorithms;
        const auto both = [&](ssh_options_e out, ssh_options_e in, const std::vector<std::string>& names, const std::vector<std::string>& defaults,
                              const char* what) {
            const std::string list = text::join(names.empty() ? defaults : names, ",");
            set(out, list.c_str(), what);
            set(in, list.c_str(), what);
        };
        both(SSH_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_S_C, given.ciphers, own.ciphers, "ciphers");
        both(SSH_OPTIONS_HMAC_C_S, SSH_OPTIONS_HMAC_S_C, given.macs, own.macs, "macs");
        set(SSH_OPTIONS_KEY_EXCHANGE, text::join(given.key_exchanges.empty() ? own.key_exchanges : given.key_exchanges, ",").c_str(),
            "key_exchanges");
        set(SSH_OPTIONS_HOSTKEYS, text::join(host_key_types, ",").c_str(), "host_keys");
        const socket_t number = fd.get();
        set(SSH_OPTIONS_FD, &number, "");
        fd_ = std::move(fd);
    }

    // No ssh_disconnect(): it leaves a descriptor that it was given open, unless saying goodbye failed, and then nobody can tell whose the number is.
    // ssh_free() closes it in any case, and that is goodbye enough.
    ~LibsshTransport() override {
        event_.reset();
        session_.reset();
    }

    ssh_session session() const noexcept { return session_.get(); }

    Step handshake() override {
        const int result = ssh_connect(session_.get());
        // From the first call on the socket is libssh's, which closes it.
        fd_.release();
        stay_nonblocking();
        if (result == SSH_AGAIN) return Step::again;
        if (result != SSH_OK) return fail();
        ssh_event_add_session(event_.get(), session_.get());
        return Step::done;
    }

    HostKey host_key() override {
        HostKey out;
        ssh_key key = nullptr;
        if (ssh_get_server_publickey(session_.get(), &key) != SSH_OK) return out;
        const KeyHandle owner{key};
        char* text = nullptr;
        if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return out;
        out.blob = base64::decode(take_text(text)).value_or("");
        // The type stands at the head of the blob; libssh's own name of it leaves the curve out.
        if (out.blob.size() > 4) {
            std::size_t size = 0;
            for (int i = 0; i < 4; ++i) size = size << 8U | static_cast<unsigned char>(out.blob[static_cast<std::size_t>(i)]);
            if (size <= out.blob.size() - 4) out.type = out.blob.substr(4, size);
        }
        return out;
    }

    std::string banner() const override { return text_or_empty(ssh_get_serverbanner(session_.get())); }

    SshSessionInfo info() const override {
        ssh_session s = session_.get();
        SshSessionInfo out;
        out.banner = banner();
        out.key_exchange = text_or_empty(ssh_get_kex_algo(s));
        out.cipher_out = text_or_empty(ssh_get_cipher_out(s));
        out.cipher_in = text_or_empty(ssh_get_cipher_in(s));
        out.mac_out = text_or_empty(ssh_get_hmac_out(s));
        out.mac_in = text_or_empty(ssh_get_hmac_in(s));
        return out;
    }

    LoginStep login_none() override { return login_step(ssh_userauth_none(session_.get(), nullptr)); }

    std::vector<std::string> methods() override {
        constexpr std::pair<int, const char*> k_methods[] = {{SSH_AUTH_METHOD_PUBLICKEY, "publickey"},
                                                             {SSH_AUTH_METHOD_PASSWORD, "password"},
                                                             {SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"},
                                                             {SSH_AUTH_METHOD_HOSTBASED, "hostbased"},
                                                             {SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi-with-mic"}};
        const int list = ssh_userauth_list(session_.get(), nullptr);
        std::vector<std::string> out;
        for (const auto& [bit, name] : k_methods) {
            if ((list & bit) != 0) out.emplace_back(name);
        }
        return out;
    }

    LoginStep login_key(const PrivateKey& key) override {
        return login_step(ssh_userauth_publickey(session_.get(), nullptr, static_cast<const LibsshKey&>(key).get()));
    }
    bool has_agent() override { return !agent_path().empty(); }
    std::string agent_problem() override {
        const std::string path = agent_path();
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        int error = ENAMETOOLONG;
        if (path.size() < sizeof address.sun_path) {
            std::memcpy(address.sun_path, path.data(), path.size());
            const net::UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            error = fd.get() >= 0 && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
        }
        if (error == 0) return {};
        return "the agent cannot be reached at " + text::printable(path) + " (SSH_AUTH_SOCK): " + std::generic_category().message(error);
    }
    LoginStep login_agent_blocking() override { return login_step(ssh_userauth_agent(session_.get(), nullptr)); }
    LoginStep login_password(const Secret& password) override {
        return login_step(ssh_userauth_password(session_.get(), nullptr, password.reveal().data()));
    }

    LoginStep login_interactive(const Secret& password) override {
        for (;;) {
            const int result = ssh_userauth_kbdint(session_.get(), nullptr, nullptr);
            if (result != SSH_AUTH_INFO) {
                if (result != SSH_AUTH_AGAIN) rounds_ = 0;
                return login_step(result);
            }
            // A server that goes on asking would hold us here for ever.
            constexpr int k_most_rounds = 5;
            if (++rounds_ > k_most_rounds) return LoginStep::failed;
            const int questions = ssh_userauth_kbdint_getnprompts(session_.get());
            for (int i = 0; i < questions; ++i) {
                char shown = 0;
                ssh_userauth_kbdint_getprompt(session_.get(), static_cast<unsigned>(i), &shown);
                ssh_userauth_kbdint_setanswer(session_.get(), static_cast<unsigned>(i), shown != 0 ? "" : password.reveal().data());
            }
        }
    }

    Step pump(int rounds) override {
        for (int i = 0; i < rounds; ++i) {
            if (!is_open()) return fail();
            const int result = ssh_event_dopoll(event_.get(), 0);
            if (result == SSH_AGAIN) return Step::again;
            if (result == SSH_ERROR) return fail();
        }
        return is_open() ? Step::done : fail();
    }

    bool wants_write() const noexcept override { return (ssh_get_poll_flags(session_.get()) & SSH_WRITE_PENDING) != 0; }
    std::unique_ptr<TransportChannel> make_channel() override { return std::make_unique<LibsshChannel>(*this); }
    // The answer is noticed by the bytes that come; the call has to be made again to clear libssh's note of it.
    void send_keepalive() override {
        if (std::exchange(probed_, true)) ssh_send_keepalive(session_.get());
        ssh_send_keepalive(session_.get());
    }
    std::uint64_t bytes_received() const noexcept override { return counter_.in_bytes; }
    bool is_open() const noexcept override {
        return ssh_is_connected(session_.get()) != 0 && (ssh_get_status(session_.get()) & (SSH_CLOSED | SSH_CLOSED_ERROR)) == 0;
    }
    std::string problem() const override {
        const std::string own = text_or_empty(ssh_get_error(session_.get()));
        return text::printable(text::shorten(own, 400));
    }

    Step fail() const noexcept { return Step::failed; }

private:
    static std::string agent_path() {
        const char* const path = std::getenv("SSH_AUTH_SOCK");
        return text_or_empty(path);
    }
    void set(ssh_options_e option, const void* value, const char* name) {
        if (ssh_options_set(session_.get(), option, value) >= 0) return;
        throw ssh_error(SshErrc::option, std::string{"the transport does not take the "} + name + ": " + problem(), Phase::none, Reason::bad_value);
    }
    /// libssh makes a socket that it connects a blocking one, and does so with one that it is given connected. Its writes would wait then.
    void stay_nonblocking() const noexcept {
        const int number = ssh_get_fd(session_.get());
        if (number < 0) return;
        const int flags = ::fcntl(number, F_GETFL);
        if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(number, F_SETFL, flags | O_NONBLOCK);
    }
    LoginStep login_step(int result) const {
        switch (result) {
            case SSH_AUTH_SUCCESS: return LoginStep::done;
            case SSH_AUTH_AGAIN: return LoginStep::again;
            case SSH_AUTH_DENIED: return LoginStep::denied;
            case SSH_AUTH_PARTIAL: return LoginStep::partial;
            default: return LoginStep::failed;
        }
    }

    net::UniqueFd fd_;
    ssh_counter_struct counter_{};
    SessionHandle session_;
    EventHandle event_;
    int rounds_{0};
    bool probed_{false};
};

LibsshChannel::LibsshChannel(LibsshTransport& transport) : transport_{transport}, channel_{ssh_channel_new(transport.session())} {
    if (channel_ == nullptr) throw ssh_error(SshErrc::channel, "libssh has no memory for a channel", Phase::protocol, Reason::local);
    ssh_callbacks_init(&callbacks_);
    callbacks_.userdata = this;
    callbacks_.channel_data_function = on_data;
    callbacks_.channel_eof_function = on_eof;
    callbacks_.channel_close_function = on_close;
    callbacks_.channel_exit_status_function = on_status;
    callbacks_.channel_exit_signal_function = on_signal;
    ssh_add_channel_callbacks(channel_, &callbacks_);
}

LibsshChannel::~LibsshChannel() {
    ssh_remove_channel_callbacks(channel_, &callbacks_);
    ssh_channel_free(channel_);
}

Step LibsshChannel::step(int result) {
    if (result == SSH_OK) return Step::done;
    return result == SSH_AGAIN ? Step::again : Step::failed;
}

bool LibsshChannel::is_readable(bool errors) const noexcept {
    const Held& held = held_[errors ? 1 : 0];
    return held.left() > 0 || held.waiting > 0 || ended_ || !transport_.is_open();
}

bool LibsshChannel::is_writable() const noexcept {
    return closed_ || !transport_.is_open() || (ssh_channel_window_size(channel_) > 0 && !transport_.wants_write());
}

/// All that libssh has, as libssh would let the server send more after each part of it, and keep that.
long LibsshChannel::fetch(bool errors, char* to, std::size_t size) {
    Held& held = held_[errors ? 1 : 0];
    // Asking for more than there is makes the window so large.
    std::uint32_t ask = static_cast<std::uint32_t>(std::min<std::size_t>(size, held.waiting));
    since_top_up_ += ask;
    if (since_top_up_ >= k_top_up && size >= k_window) {
        ask = k_window;
        since_top_up_ = 0;
    }
    const int got = ssh_channel_read_timeout(channel_, to, ask, errors ? 1 : 0, 0);
    if (got > 0) held.waiting -= std::min<std::size_t>(held.waiting, static_cast<std::size_t>(got));
    return got;
}

net::IoResult::Kind LibsshChannel::read(bool errors, char* data, std::size_t size, std::size_t& used) {
    Held& held = held_[errors ? 1 : 0];
    if (held.left() == 0 && held.waiting > 0) {
        if (held.waiting <= size && since_top_up_ + held.waiting < k_top_up) {
            const long got = fetch(errors, data, size);
            if (got < 0) return net::IoResult::Kind::failed;
            used = static_cast<std::size_t>(got);
            if (used > 0) return net::IoResult::Kind::done;
        } else {
            if (!held.taken) held.taken = std::make_unique_for_overwrite<char[]>(k_room);
            const long got = fetch(errors, held.taken.get(), k_room);
            if (got < 0) return net::IoResult::Kind::failed;
            held.from = 0;
            held.to = static_cast<std::size_t>(got);
        }
    }
    if (held.left() > 0) {
        used = std::min(size, held.left());
        std::memcpy(data, held.taken.get() + held.from, used);
        held.from += used;
        return net::IoResult::Kind::done;
    }
    if (ended_) return net::IoResult::Kind::closed;
    return transport_.is_open() ? net::IoResult::Kind::want_read : net::IoResult::Kind::failed;
}

net::IoResult::Kind LibsshChannel::write(std::string_view data, std::size_t& used) {
    if (closed_ || finished_ || !transport_.is_open()) return net::IoResult::Kind::failed;
    // What libssh has not sent yet is not added to: its buffer would grow up to the server's window.
    if (!is_writable()) return net::IoResult::Kind::want_write;
    constexpr std::size_t k_most = 256 * 1024;
    const std::size_t room = std::min<std::size_t>({data.size(), k_most, ssh_channel_window_size(channel_)});
    const int got = ssh_channel_write(channel_, data.data(), static_cast<std::uint32_t>(room));
    if (got < 0) return net::IoResult::Kind::failed;
    used = static_cast<std::size_t>(got);
    return got == 0 ? net::IoResult::Kind::want_write : net::IoResult::Kind::done;
}

bool LibsshChannel::finish_writing() {
    if (finished_ || closed_) return true;
    finished_ = true;
    return ssh_channel_send_eof(channel_) != SSH_ERROR;
}

std::string field(std::string_view bytes) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(bytes.size() >> static_cast<unsigned>(shift) & 0xFFU);
    return out.append(bytes);
}

/// An ed25519 key in PKCS#8 form, which libssh reads but cannot sign with, in OpenSSH's form without a pass-phrase. Empty: it is none.
Secret openssh_form(const Secret& text, const Secret& pass_phrase) {
    using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
    using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
    const Bio bio{BIO_new_mem_buf(text.reveal().data(), static_cast<int>(text.reveal().size())), BIO_free};
    const auto phrase = [](char* to, int size, int, void* given) -> int {
        const std::string_view own = static_cast<const Secret*>(given)->reveal();
        if (own.size() > static_cast<std::size_t>(size)) return -1;
        std::memcpy(to, own.data(), own.size());
        return static_cast<int>(own.size());
    };
    const Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, phrase, const_cast<Secret*>(&pass_phrase)), EVP_PKEY_free};
    ERR_clear_error();
    if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) return {};
    std::array<unsigned char, 32> half{}, open{};
    std::size_t half_size = half.size(), open_size = open.size();
    if (EVP_PKEY_get_raw_private_key(key.get(), half.data(), &half_size) != 1 || EVP_PKEY_get_raw_public_key(key.get(), open.data(), &open_size) != 1)
        return {};
    const std::string type = "ssh-ed25519";
    const std::string shown{reinterpret_cast<const char*>(open.data()), open_size};
    std::string whole{reinterpret_cast<const char*>(half.data()), half_size};
    whole += shown;
    std::string inner = std::string(8, '\0') + field(type) + field(shown) + field(whole) + field("");
    for (char pad = 1; inner.size() % 8 != 0; ++pad) inner += pad;
    std::string blob = std::string{"openssh-key-v1"} + '\0' + field("none") + field("none") + field("") + std::string{"\0\0\0\1", 4} +
                       field(field(type) + field(shown)) + field(inner);
    std::string coded = base64::encode(blob);
    for (std::size_t at = 70; at < coded.size(); at += 71) coded.insert(at, 1, '\n');
    std::string pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + coded + "\n-----END OPENSSH PRIVATE KEY-----\n";
    const Secret out{pem};
    for (std::string* part : {&whole, &inner, &blob, &coded, &pem}) wipe(*part);
    OPENSSL_cleanse(half.data(), half.size());
    return out;
}

class LibsshKind final : public TransportKind {
public:
    std::string name() const override {
        return std::string{"libssh "} + text_or_empty(ssh_version(0)).substr(0, text_or_empty(ssh_version(0)).find('/'));
    }
    std::unique_ptr<Transport> make(net::UniqueFd fd, const SshOptions& options, const std::string& user,
                                    const std::vector<std::string>& host_key_types) const override {
        return std::make_unique<LibsshTransport>(std::move(fd), options, user, host_key_types);
    }
    std::shared_ptr<const PrivateKey> read_key(const Secret& text, const Secret& pass_phrase) const override {
        ssh_key key = nullptr;
        // Without a callback libssh would ask the terminal.
        const auto nobody = [](const char*, char*, std::size_t, int, int, void*) { return -1; };
        if (text.reveal().find("-----BEGIN PRIVATE KEY") != npos || text.reveal().find("-----BEGIN ENCRYPTED PRIVATE KEY") != npos) {
            if (const Secret other = openssh_form(text, pass_phrase); !other.empty()) return read_key(other, {});
        }
        const char* phrase = pass_phrase.empty() ? nullptr : pass_phrase.reveal().data();
        if (ssh_pki_import_privkey_base64(text.reveal().data(), phrase, nobody, nullptr, &key) != SSH_OK) return nullptr;
        return std::make_shared<const LibsshKey>(KeyHandle{key});
    }
};

}  // namespace

const TransportKind& libssh_kind() {
    static const LibsshKind kind;
    return kind;
}

}  // namespace qconn::ssh
