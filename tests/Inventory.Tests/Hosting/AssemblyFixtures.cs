using Shop.Inventory.Tests.Hosting;

[assembly: AssemblyFixture(typeof(ShopFixture))]
