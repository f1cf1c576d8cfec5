using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Shop.Contracts;

/// <summary>
/// Tokens of means of payment on their way to Payments: sealed by whoever asks for a payment, with Payments' public key, so that nobody who
/// reads a topic, an outbox or a dead letter can pay with them; and for one payment, so that a copy is of no use for another.
/// </summary>
/// <remarks>
/// <c>sealed:v1:SENDER.BOX</c>, both base64url: the sender's public key (SubjectPublicKeyInfo) and nonce, tag and AES-256-GCM ciphertext with the
/// payment's id as associated data; the key is HKDF-SHA256 (RFC 5869) of the ECDH secret on P-256, salted with the sender's key.
/// </remarks>
internal static class SealedPaymentTokens
{
    public const string Prefix = "sealed:v1:";
    public const int NonceBytes = 12, TagBytes = 16;

    private static readonly byte[] Purpose = "shop payment token"u8.ToArray();

    public static byte[] KeyOf(ECDiffieHellman own, ECDiffieHellmanPublicKey other, byte[] sender) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, own.DeriveRawSecretAgreement(other), 32, sender, Purpose);
}

/// <summary>Seals tokens for Payments, with a key pair of its own that lives as long as it does.</summary>
public sealed class PaymentTokenSealer
{
    private readonly string _sender;
    private readonly byte[] _key;

    /// <summary>Makes a sealer.</summary>
    /// <param name="publicKey">Payments' public key: SubjectPublicKeyInfo of a key on P-256, in base64.</param>
    /// <exception cref="FormatException">It is not base64.</exception>
    /// <exception cref="CryptographicException">It is no such key.</exception>
    public PaymentTokenSealer(string publicKey)
    {
        using var payments = ECDiffieHellman.Create();
        payments.ImportSubjectPublicKeyInfo(Convert.FromBase64String(publicKey), out _);
        using var own = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var sender = own.ExportSubjectPublicKeyInfo();
        _sender = Base64Url.EncodeToString(sender);
        _key = SealedPaymentTokens.KeyOf(own, payments.PublicKey, sender);
    }

    /// <summary>Seals <paramref name="token"/> for one payment.</summary>
    public string Seal(Guid paymentId, string token)
    {
        var plain = Encoding.UTF8.GetBytes(token);
        var box = new byte[SealedPaymentTokens.NonceBytes + SealedPaymentTokens.TagBytes + plain.Length];
        var nonce = box.AsSpan(0, SealedPaymentTokens.NonceBytes);
        var tag = box.AsSpan(SealedPaymentTokens.NonceBytes, SealedPaymentTokens.TagBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, SealedPaymentTokens.TagBytes);
        aes.Encrypt(nonce, plain, box.AsSpan(SealedPaymentTokens.NonceBytes + SealedPaymentTokens.TagBytes), tag, paymentId.ToByteArray());
        return $"{SealedPaymentTokens.Prefix}{_sender}.{Base64Url.EncodeToString(box)}";
    }
}

/// <summary>Opens what a <see cref="PaymentTokenSealer"/> has sealed.</summary>
public sealed class PaymentTokenOpener : IDisposable
{
    /// <summary>Senders whose secret is remembered: the instances of Orders, since their last starts.</summary>
    private const int MostSenders = 1_000;

    private readonly ECDiffieHellman _own = ECDiffieHellman.Create();
    private readonly ConcurrentDictionary<string, byte[]> _keys = new(StringComparer.Ordinal);

    /// <summary>Makes an opener.</summary>
    /// <param name="privateKey">Payments' private key: PKCS #8 of a key on P-256, in base64.</param>
    /// <exception cref="FormatException">It is not base64.</exception>
    /// <exception cref="CryptographicException">It is no such key.</exception>
    public PaymentTokenOpener(string privateKey) => _own.ImportPkcs8PrivateKey(Convert.FromBase64String(privateKey), out _);

    /// <summary>The token that was sealed for the payment; a token that is not sealed, as older events have it, is returned as it is.</summary>
    /// <exception cref="CryptographicException">It was sealed for another payment or another key, or it was changed.</exception>
    public string Open(Guid paymentId, string token)
    {
        if (!token.StartsWith(SealedPaymentTokens.Prefix, StringComparison.Ordinal))
            return token;
        var parts = token[SealedPaymentTokens.Prefix.Length..].Split('.');
        if (parts.Length != 2 || !Base64Url.IsValid(parts[1]) || Base64Url.DecodeFromChars(parts[1]) is not { Length: >= SealedPaymentTokens.NonceBytes + SealedPaymentTokens.TagBytes } box)
            throw new CryptographicException("The payment token is not sealed as it should be");
        var plain = new byte[box.Length - SealedPaymentTokens.NonceBytes - SealedPaymentTokens.TagBytes];
        using var aes = new AesGcm(KeyFor(parts[0]), SealedPaymentTokens.TagBytes);
        aes.Decrypt(box.AsSpan(0, SealedPaymentTokens.NonceBytes), box.AsSpan(SealedPaymentTokens.NonceBytes + SealedPaymentTokens.TagBytes),
            box.AsSpan(SealedPaymentTokens.NonceBytes, SealedPaymentTokens.TagBytes), plain, paymentId.ToByteArray());
        return Encoding.UTF8.GetString(plain);
    }

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();

    private byte[] KeyFor(string encodedSender)
    {
        if (_keys.TryGetValue(encodedSender, out var known))
            return known;
        if (!Base64Url.IsValid(encodedSender))
            throw new CryptographicException("The payment token names no sender");
        var sender = Base64Url.DecodeFromChars(encodedSender);
        byte[] key;
        try
        {
            using var other = ECDiffieHellman.Create();
            other.ImportSubjectPublicKeyInfo(sender, out _);
            lock (_own)
                key = SealedPaymentTokens.KeyOf(_own, other.PublicKey, sender);
        }
        // what the platform says of a point that is on no curve, and of one on another
        catch (Exception e) when (e is PlatformNotSupportedException or ArgumentException)
        {
            throw new CryptographicException("The payment token's sender has no key on P-256", e);
        }
        if (_keys.Count >= MostSenders)
            _keys.Clear();
        return _keys[encodedSender] = key;
    }
}
