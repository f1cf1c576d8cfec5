namespace Shop.ServiceDefaults.Tests;

public sealed class CardNumbersTests
{
    [Theory]
    [InlineData("4111111111111111")]
    [InlineData("tok_4111111111111111")]
    [InlineData("my card is 5555 5555 5555 4444, please")]
    [InlineData("3782-822463-10005")]
    [InlineData("6011000990139424x")]
    [InlineData("30569309025904")]
    [InlineData("12, 4111111111111111")]
    public void A_card_number_is_found_however_it_is_written(string text) => Assert.True(CardNumbers.IsIn(text));

    [Theory]
    [InlineData("")]
    [InlineData("4111111111111112")]
    [InlineData("41111111111111")]
    [InlineData("4111111111111111000000")]
    [InlineData("tok_visa_4f9a")]
    [InlineData("12 St James's Square, SW1Y 4JH, 020 7946 0000")]
    [InlineData("0199f2b0-6c1e-7a4d-9b53-1f2e3d4c5b6a")]
    [InlineData("4006381333931")]
    [InlineData("1764400000000")]
    public void What_is_none_is_let_pass(string text) => Assert.False(CardNumbers.IsIn(text));
}
