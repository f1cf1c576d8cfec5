namespace Shop.Orders.Tests.Documentation;

/// <summary>docs/order-states.md has to show what the state machine does.</summary>
public sealed class OrderStatesTests
{
    private const string Regenerate = "SHOP_WRITE_ORDER_STATES";

    [Fact]
    public async Task The_committed_drawing_is_the_state_machine()
    {
        var file = Repository.Document("order-states.md");
        var generated = await OrderStatesDocument.CreateAsync();
        if (Environment.GetEnvironmentVariable(Regenerate) is { Length: > 0 })
            await File.WriteAllTextAsync(file, generated, TestContext.Current.CancellationToken);

        Assert.True(File.Exists(file) && await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) == generated,
            $"docs/order-states.md does not show the state machine any more. Write it anew, and commit it, with: {Regenerate}=1 dotnet test tests/Orders.Tests -c Release");
    }
}
