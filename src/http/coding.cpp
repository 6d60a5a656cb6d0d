// SPDX-License-Identifier: Apache-2.0
#include "http/coding.hpp"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <bzlib.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <new>
#include <stdexcept>

#include "base/text.hpp"

namespace qconn::http {

namespace {

constexpr std::size_t k_block = 16 * 1024;
/// zlib and bzip2 count in unsigned int.
constexpr std::size_t k_most_at_once = std::size_t{1} << 30;
/// RFC 9659: a window of at most 8 MiB is to be supported for the content coding.
constexpr int k_zstd_window_log = 23;

const std::uint8_t* bytes(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

}  // namespace

/// One coding. step() uses input and gives output until it wants more input.
class Decoder::Stage {
public:
    enum class State { needs_input, more_output, end, broken };
    virtual ~Stage() = default;
    /// Takes from the front of `input`; `made` bytes were put at the front of `block`.
    virtual State step(std::string_view& input, char* block, std::size_t& made) = 0;
    /// Prepares for another member that follows the one that ended; false where the coding has no such thing.
    virtual bool restart() = 0;
    virtual std::string_view name() const noexcept = 0;

    bool started{false};
    bool ended{false};
};

namespace {

using Stage = Decoder::Stage;

class ZlibStage final : public Stage {
public:
    explicit ZlibStage(bool gzip) : gzip_{gzip} {}
    ZlibStage(const ZlibStage&) = delete;
    ZlibStage& operator=(const ZlibStage&) = delete;
    ~ZlibStage() override {
        if (open_) inflateEnd(&z_);
    }

    State step(std::string_view& input, char* block, std::size_t& made) override {
        made = 0;
        if (!open_ && !open(input)) return State::needs_input;
        if (!head_.empty()) {  // the two bytes that were held back to tell zlib from raw deflate
            std::string_view head = head_;
            const State state = inflate_some(head, block, made);
            head_.erase(0, head_.size() - head.size());
            if (state != State::needs_input || !head_.empty()) return state;
            if (made != 0) return State::more_output;
        }
        return inflate_some(input, block, made);
    }
    bool restart() override { return gzip_ && inflateReset(&z_) == Z_OK; }
    std::string_view name() const noexcept override { return gzip_ ? "gzip" : "deflate"; }

private:
    bool open(std::string_view& input) {
        int window = 15 + 16;
        if (!gzip_) {
            // "deflate" means the zlib form, but some servers send the bare stream: the first two bytes tell.
            while (head_.size() < 2 && !input.empty()) {
                head_ += input.front();
                input.remove_prefix(1);
            }
            if (head_.size() < 2) return false;
            const unsigned first = static_cast<unsigned char>(head_[0]);
            const unsigned second = static_cast<unsigned char>(head_[1]);
            window = (first & 0x0FU) == 8 && (first * 256 + second) % 31 == 0 ? 15 : -15;
        }
        if (inflateInit2(&z_, window) != Z_OK) throw std::bad_alloc{};
        open_ = true;
        return true;
    }
    State inflate_some(std::string_view& input, char* block, std::size_t& made) {
        const std::size_t given = std::min(input.size(), k_most_at_once);
        z_.next_in = const_cast<Bytef*>(bytes(input));
        z_.avail_in = static_cast<uInt>(given);
        z_.next_out = reinterpret_cast<Bytef*>(block);
        z_.avail_out = k_block;
        const int code = inflate(&z_, Z_NO_FLUSH);
        input.remove_prefix(given - z_.avail_in);
        made = k_block - z_.avail_out;
        if (code == Z_STREAM_END) return State::end;
        if (code == Z_BUF_ERROR) return State::needs_input;
        if (code != Z_OK) return State::broken;
        return z_.avail_out == 0 || !input.empty() ? State::more_output : State::needs_input;
    }

    bool gzip_;
    bool open_{false};
    std::string head_;
    z_stream z_{};
};

class BrotliStage final : public Stage {
public:
    BrotliStage() : state_{BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)} {
        if (state_ == nullptr) throw std::bad_alloc{};
    }
    BrotliStage(const BrotliStage&) = delete;
    BrotliStage& operator=(const BrotliStage&) = delete;
    ~BrotliStage() override { BrotliDecoderDestroyInstance(state_); }

    State step(std::string_view& input, char* block, std::size_t& made) override {
        std::size_t left = input.size();
        const std::uint8_t* in = bytes(input);
        std::size_t room = k_block;
        auto* out = reinterpret_cast<std::uint8_t*>(block);
        const BrotliDecoderResult result = BrotliDecoderDecompressStream(state_, &left, &in, &room, &out, nullptr);
        input.remove_prefix(input.size() - left);
        made = k_block - room;
        switch (result) {
            case BROTLI_DECODER_RESULT_SUCCESS: return State::end;
            case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return State::more_output;
            case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return State::needs_input;
            default: return State::broken;
        }
    }
    bool restart() override { return false; }
    std::string_view name() const noexcept override { return "br"; }

private:
    BrotliDecoderState* state_;
};

class ZstdStage final : public Stage {
public:
    ZstdStage() : state_{ZSTD_createDStream()} {
        if (state_ == nullptr) throw std::bad_alloc{};
        ZSTD_DCtx_setParameter(state_, ZSTD_d_windowLogMax, k_zstd_window_log);
    }
    ZstdStage(const ZstdStage&) = delete;
    ZstdStage& operator=(const ZstdStage&) = delete;
    ~ZstdStage() override { ZSTD_freeDStream(state_); }

    State step(std::string_view& input, char* block, std::size_t& made) override {
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        ZSTD_outBuffer out{block, k_block, 0};
        const std::size_t code = ZSTD_decompressStream(state_, &out, &in);
        input.remove_prefix(in.pos);
        made = out.pos;
        if (ZSTD_isError(code) != 0) return State::broken;
        if (code == 0) return State::end;
        return out.pos == out.size || !input.empty() ? State::more_output : State::needs_input;
    }
    bool restart() override { return true; }  // the next frame begins by itself
    std::string_view name() const noexcept override { return "zstd"; }

private:
    ZSTD_DStream* state_;
};

class BzipStage final : public Stage {
public:
    BzipStage() { open(); }
    BzipStage(const BzipStage&) = delete;
    BzipStage& operator=(const BzipStage&) = delete;
    ~BzipStage() override { BZ2_bzDecompressEnd(&bz_); }

    State step(std::string_view& input, char* block, std::size_t& made) override {
        const std::size_t given = std::min(input.size(), k_most_at_once);
        bz_.next_in = const_cast<char*>(input.data());
        bz_.avail_in = static_cast<unsigned>(given);
        bz_.next_out = block;
        bz_.avail_out = k_block;
        const int code = BZ2_bzDecompress(&bz_);
        input.remove_prefix(given - bz_.avail_in);
        made = k_block - bz_.avail_out;
        if (code == BZ_STREAM_END) return State::end;
        if (code != BZ_OK) return State::broken;
        return bz_.avail_out == 0 || !input.empty() ? State::more_output : State::needs_input;
    }
    bool restart() override {
        BZ2_bzDecompressEnd(&bz_);
        open();
        return true;
    }
    std::string_view name() const noexcept override { return "bzip2"; }

private:
    void open() {
        bz_ = {};
        if (BZ2_bzDecompressInit(&bz_, 0, 0) != BZ_OK) throw std::bad_alloc{};
    }
    bz_stream bz_{};
};

std::unique_ptr<Stage> make_stage(std::string_view coding) {
    if (coding == "gzip") return std::make_unique<ZlibStage>(true);
    if (coding == "deflate") return std::make_unique<ZlibStage>(false);
    if (coding == "br") return std::make_unique<BrotliStage>();
    if (coding == "zstd") return std::make_unique<ZstdStage>();
    if (coding == "bzip2") return std::make_unique<BzipStage>();
    throw std::invalid_argument{"unknown content coding"};
}

constexpr std::array<std::string_view, 5> k_codings{"gzip", "deflate", "br", "zstd", "bzip2"};

}  // namespace

bool is_known_coding(std::string_view name) noexcept { return std::find(k_codings.begin(), k_codings.end(), name) != k_codings.end(); }

std::vector<std::string> parse_codings(std::string_view field) {
    std::vector<std::string> codings;
    while (!field.empty()) {
        const std::size_t comma = std::min(field.find(','), field.size());
        std::string one = text::to_lower(text::trim(field.substr(0, comma)));
        field.remove_prefix(std::min(comma + 1, field.size()));
        if (one.empty() || one == "identity") continue;
        if (one == "x-gzip" || one == "x-bzip2") one.erase(0, 2);
        codings.push_back(std::move(one));
    }
    return codings;
}

Decoder::Decoder(const std::vector<std::string>& codings, CodingLimits limits) : limits_{limits}, produced_(codings.size(), 0) {
    if (codings.size() > k_most_codings) throw std::invalid_argument{"too many content codings"};
    for (auto it = codings.rbegin(); it != codings.rend(); ++it) stages_.push_back(make_stage(*it));
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

CodingStatus Decoder::feed(std::string_view input, std::string& out) {
    received_ += input.size();
    return run(0, input, out);
}

CodingStatus Decoder::run(std::size_t index, std::string_view input, std::string& out) {
    if (index != 0) {
        // What each stage made is held against the bytes on the wire, so that stacked codings do not multiply their expansion.
        std::size_t& produced = produced_[index - 1];
        produced += input.size();
        if (produced > limits_.max_output) return CodingStatus::too_large;
        if (produced > limits_.expansion_floor && produced / limits_.max_expansion > received_) return CodingStatus::expansion;
    }
    if (index == stages_.size()) {
        out.append(input);
        return CodingStatus::ok;
    }
    Stage& stage = *stages_[index];
    std::array<char, k_block> block;
    while (true) {
        if (stage.ended) {
            if (input.empty()) return CodingStatus::ok;
            if (!stage.restart()) {
                problem_ = std::string{"there is something after the end of the "}.append(stage.name()).append(" data");
                return CodingStatus::broken;
            }
            stage.ended = false;
        }
        if (!input.empty()) stage.started = true;
        std::size_t made = 0;
        const Stage::State state = stage.step(input, block.data(), made);
        if (made != 0) {
            const CodingStatus status = run(index + 1, {block.data(), made}, out);
            if (status != CodingStatus::ok) return status;
        }
        if (state == Stage::State::broken) {
            problem_ = std::string{"this is not "}.append(stage.name()).append(" data, or it is damaged");
            return CodingStatus::broken;
        }
        if (state == Stage::State::end) stage.ended = true;
        if (state == Stage::State::needs_input && input.empty()) return CodingStatus::ok;
        if (state == Stage::State::needs_input && made == 0) {
            problem_ = std::string{"the "}.append(stage.name()).append(" data make no progress");
            return CodingStatus::broken;
        }
    }
}

CodingStatus Decoder::finish() {
    for (const auto& stage : stages_) {
        if (!stage->ended && (stage->started || (received_ != 0 && &stage == &stages_.front()))) {
            problem_ = std::string{"the "}.append(stage->name()).append(" data end too early");
            return CodingStatus::broken;
        }
    }
    return CodingStatus::ok;
}

namespace {

std::string encode_zlib(std::string_view body, bool gzip) {
    z_stream z{};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc{};
    const std::unique_ptr<z_stream, int (*)(z_stream*)> guard{&z, deflateEnd};
    std::string out;
    int code = Z_OK;
    do {
        const std::size_t given = std::min(body.size(), k_most_at_once);
        z.next_in = const_cast<Bytef*>(bytes(body));
        z.avail_in = static_cast<uInt>(given);
        const std::size_t before = out.size();
        const std::size_t room = std::min<std::size_t>(given / 2 + k_block, k_most_at_once);
        out.resize(before + room);
        z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        z.avail_out = static_cast<uInt>(room);
        code = deflate(&z, given == body.size() ? Z_FINISH : Z_NO_FLUSH);
        body.remove_prefix(given - z.avail_in);
        out.resize(before + room - z.avail_out);
    } while (code == Z_OK || code == Z_BUF_ERROR);
    return out;
}

std::string encode_brotli(std::string_view body) {
    constexpr int k_quality = 5;  // about gzip's speed, better ratio
    std::size_t size = BrotliEncoderMaxCompressedSize(body.size());
    std::string out(size != 0 ? size : body.size() + k_block, '\0');
    size = out.size();
    if (BrotliEncoderCompress(k_quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, body.size(), bytes(body), &size,
                              reinterpret_cast<std::uint8_t*>(out.data())) != BROTLI_TRUE) {
        throw std::bad_alloc{};
    }
    out.resize(size);
    return out;
}

std::string encode_zstd(std::string_view body) {
    std::string out(ZSTD_compressBound(body.size()), '\0');
    const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(size) != 0) throw std::bad_alloc{};
    out.resize(size);
    return out;
}

std::string encode_bzip2(std::string_view body) {
    bz_stream bz{};
    if (BZ2_bzCompressInit(&bz, 9, 0, 0) != BZ_OK) throw std::bad_alloc{};
    const std::unique_ptr<bz_stream, int (*)(bz_stream*)> guard{&bz, BZ2_bzCompressEnd};
    std::string out;
    int code = BZ_RUN_OK;
    do {
        const std::size_t given = std::min(body.size(), k_most_at_once);
        bz.next_in = const_cast<char*>(body.data());
        bz.avail_in = static_cast<unsigned>(given);
        const std::size_t before = out.size();
        out.resize(before + k_block);
        bz.next_out = out.data() + before;
        bz.avail_out = k_block;
        code = BZ2_bzCompress(&bz, given == body.size() ? BZ_FINISH : BZ_RUN);
        body.remove_prefix(given - bz.avail_in);
        out.resize(before + k_block - bz.avail_out);
    } while (code == BZ_RUN_OK || code == BZ_FINISH_OK);
    if (code != BZ_STREAM_END) throw std::bad_alloc{};
    return out;
}

}  // namespace

std::string encode(std::string_view coding, std::string_view body) {
    if (coding == "gzip") return encode_zlib(body, true);
    if (coding == "deflate") return encode_zlib(body, false);
    if (coding == "br") return encode_brotli(body);
    if (coding == "zstd") return encode_zstd(body);
    if (coding == "bzip2") return encode_bzip2(body);
    throw std::invalid_argument{"unknown content coding"};
}

}  // namespace qconn::http
