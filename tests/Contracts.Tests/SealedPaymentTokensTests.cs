using System.Security.Cryptography;

namespace Shop.Contracts.Tests;

public sealed class SealedPaymentTokensTests
{
    private static readonly Guid Payment = Guid.CreateVersion7();

    private readonly ECDiffieHellman _key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    private PaymentTokenSealer Sealer => new(Convert.ToBase64String(_key.ExportSubjectPublicKeyInfo()));

    private PaymentTokenOpener Opener => new(Convert.ToBase64String(_key.ExportPkcs8PrivateKey()));

    [Theory]
    [InlineData("tok_visa")]
    [InlineData("")]
    [InlineData("täken")]
    public void What_is_sealed_can_be_opened_and_not_be_read(string token)
    {
        using var opener = Opener;
        var (first, second) = (Sealer, Sealer);
        string[] boxes = [first.Seal(Payment, token), first.Seal(Payment, token), second.Seal(Payment, token)];

        Assert.All(boxes, box => Assert.Equal(token, opener.Open(Payment, box)));
        Assert.Equal(3, boxes.Distinct().Count());
        Assert.All(boxes, box => Assert.DoesNotContain("tok_", box, StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_of_an_older_event_is_what_it_was() => Assert.Equal("tok_visa", Opener.Open(Payment, "tok_visa"));

    [Fact]
    public void What_was_sealed_for_another_payment_or_key_or_was_changed_cannot_be_opened()
    {
        using var opener = Opener;
        var box = Sealer.Seal(Payment, "tok_visa");

        Assert.ThrowsAny<CryptographicException>(() => opener.Open(Guid.CreateVersion7(), box));
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Assert.ThrowsAny<CryptographicException>(() => new PaymentTokenOpener(Convert.ToBase64String(other.ExportPkcs8PrivateKey())).Open(Payment, box));
        for (var i = "sealed:v1:".Length; i < box.Length; i++)
        {
            // not the last character of a part: its low bits may be padding
            if (i + 1 == box.Length || box[i + 1] == '.')
                continue;
            var changed = string.Concat(box.AsSpan(0, i), box[i] == 'A' ? "B" : "A", box.AsSpan(i + 1));
            Assert.ThrowsAny<CryptographicException>(() => opener.Open(Payment, changed));
        }
        Assert.ThrowsAny<CryptographicException>(() => opener.Open(Payment, "sealed:v1:"));
        Assert.ThrowsAny<CryptographicException>(() => opener.Open(Payment, "sealed:v1:AA.AA"));
    }
}
